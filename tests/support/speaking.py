"""Anything that may happen while three customers wait for their reply, in any order, as a machine for hypothesis.

Answers are lost, calls arrive late or never, processes die at any named moment, sleep and wake, the
switch is thrown, evidence comes and goes, tokens are revoked, people press buttons and answer by
hand. At no time may the public read two replies of ours under one post; and once the trouble ends,
everybody who waited has one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app import staging
from app.steps import deliver
from app.store.tables import Account
from app.worker import JOBS
from tests.support.brand import Brand, brand, shipped
from tests.support.databases import SqliteDatabases
from tests.support.mastodon_network import TOKEN
from tests.support.rough_line import Died, Fate, How

T = TypeVar("T")

CUSTOMERS = 3

LATEST: dict[How, float] = {"late": 49.0, "error, then late": 39.0, "dies, then late": 69.0}
"""How late a call may be accepted, in seconds after it left, and still be found before another is made.

A caller that gave up after 10 s looks again for good 20 s and 40 s later; an answered error ends the
call at once; a dead caller is missed after the 30 s that a claim's lease leaves beyond the last moment to speak.
"""

FATES: tuple[How, ...] = (
    "unreachable",
    "cut before",
    "never",
    "cut after",
    "lost",
    "error after",
    "truncated",
    "dies before",
    "dies after",
)


def _fates() -> st.SearchStrategy[Fate]:
    late = [
        st.builds(Fate, st.just(how), st.floats(0, most), st.sampled_from([500, 502])) for how, most in LATEST.items()
    ]
    refused = st.builds(Fate, st.just("refused"), st.just(0.0), st.sampled_from([500, 502, 503]))
    limited = st.builds(Fate, st.just("limited"), st.sampled_from([0.0, 1.0, 90.0]))
    return st.one_of(st.sampled_from([Fate(how) for how in FATES]), refused, limited, *late)


READS = st.sampled_from(
    [
        Fate("refused", status=500),
        Fate("never"),
        Fate("limited", 30),
        Fate("truncated"),
        Fate("late", 9),
        Fate("answered"),
    ]
)


class Speaking(RuleBasedStateMachine):
    """One brand, one server, one or more processes that share a database."""

    databases: ClassVar[SqliteDatabases]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.made: Brand | None = None
        self.sleepers: list[asyncio.Task[bool]] = []
        self.said_by_hand: set[str] = set()
        self.left_to_people: set[int] = set()
        self.in_hand: set[int] = set()
        self.release: int | None = 1
        self.releases = 1
        self.is_voice_on = self.has_token = True

    # --- What is there -------------------------------------------------------------------------------

    @property
    def brand(self) -> Brand:
        assert self.made is not None
        return self.made

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize(ignores_keys=st.booleans(), network_is_ahead=st.sampled_from([-100, 0, 100]))
    def open(self, ignores_keys: bool, network_is_ahead: int) -> None:
        self.url = shipped(self.databases, customers=CUSTOMERS)
        opened = brand(self.url, customers=CUSTOMERS, has_shipped=True, ignore_idempotency=ignores_keys)
        self.made = self.run(self.stack.enter_async_context(opened))
        clock, ahead = self.made.circle.clock, timedelta(seconds=network_is_ahead)
        self.made.network.now = lambda: clock() + ahead

    def ours(self, customer: int) -> list[dict[str, Any]]:
        found = self.brand.replies_to(self.brand.customers[customer])
        return [entry for entry in found if entry["id"] not in self.said_by_hand]

    @invariant()
    def nobody_reads_two_replies(self) -> None:
        if self.made is not None:
            assert [len(self.ours(customer)) <= 1 for customer in range(CUSTOMERS)] == [True] * CUSTOMERS

    # --- Time and work -------------------------------------------------------------------------------

    @rule(seconds=st.one_of(st.floats(0.1, 130), st.sampled_from([10.0, 20.0, 30.0, 61.0, 3700.0])))
    def time_passes(self, seconds: float) -> None:
        self.brand.line.pass_time(seconds)

    @rule(
        job=st.sampled_from(["deliver", "take_over", "look_for_lost", "owe", "look_at_issues", "poll_trackers"]),
        dies_after=st.one_of(st.none(), st.integers(1, 6)),
    )
    def a_process_works(self, job: Any, dies_after: int | None) -> None:
        self.run(self._until_death(JOBS[job].job, dies_after))

    @rule(dies_after=st.one_of(st.none(), st.integers(1, 40)))
    def everything_due_is_done(self, dies_after: int | None) -> None:
        async def rest(_river: Any) -> None:
            await self.brand.rest()

        self.run(self._until_death(rest, dies_after))

    async def _until_death(self, work: Callable[[Any], Awaitable[Any]], dies_after: int | None) -> None:
        """Work, and die at the n-th named moment. What is asleep in the same process is another process here."""
        river, passed = self.brand.circle.river, 0

        def count(_name: str) -> None:
            nonlocal passed
            passed += 1
            if passed == dies_after:
                raise Died

        river.point = count
        try:
            await work(river)
        except Died:
            pass
        finally:
            river.point = lambda _name: None

    # --- Trouble -------------------------------------------------------------------------------------

    @rule(fates=st.lists(_fates(), min_size=1, max_size=3))
    def the_next_calls_meet(self, fates: list[Fate]) -> None:
        self.brand.line.fates.extend(fates)

    @rule(reads=st.lists(READS, min_size=1, max_size=3))
    def the_next_looks_meet(self, reads: list[Fate]) -> None:
        self.brand.line.reads.extend(reads)

    @precondition(lambda self: len(self.sleepers) < 2)
    @rule(how=st.sampled_from(["sleeps before", "sleeps after"]), at_the_look=st.booleans())
    def a_process_falls_asleep(self, how: How, at_the_look: bool) -> None:
        self.run(self._fall_asleep(how, at_the_look=at_the_look))

    async def _fall_asleep(self, how: How, *, at_the_look: bool) -> None:
        line = self.brand.line
        queue = line.reads if at_the_look else line.fates
        lulling = Fate("sleeps before" if at_the_look else how)
        queue.appendleft(lulling)
        before = line.sleeping
        task = asyncio.ensure_future(deliver.deliver_next(self.brand.circle.river))
        while line.sleeping == before and not task.done():  # noqa: ASYNC110  (no event tells it)
            await asyncio.sleep(0)
        if queue and queue[0] is lulling:
            queue.popleft()
        if task.done():
            _forgive_death(task)
        else:
            self.sleepers.append(task)

    @precondition(lambda self: self.sleepers)
    @rule(seconds=st.one_of(st.just(0.0), st.floats(0, 130)))
    def the_sleepers_wake(self, seconds: float) -> None:
        self.brand.line.pass_time(seconds)
        self.run(self._wake())

    async def _wake(self) -> None:
        self.brand.line.wake()
        if self.sleepers:
            await asyncio.wait(self.sleepers)
        for task in self.sleepers:
            _forgive_death(task)
        self.sleepers.clear()

    @precondition(lambda self: self.sleepers)
    @rule()
    def the_sleepers_are_killed(self) -> None:
        async def kill() -> None:
            for task in self.sleepers:
                task.cancel()
            await asyncio.wait(self.sleepers)

        self.run(kill())
        self.sleepers.clear()
        self.brand.line.wake()

    @rule(kind=st.sampled_from(["transient", "rate_limited"]))
    def the_tracker_fails_once(self, kind: Any) -> None:
        self.run(self.brand.board.faults.add(staging.Fault(call="read", kind=kind, times=1)))

    @precondition(lambda self: self.has_token)
    @rule()
    def the_token_is_revoked(self) -> None:
        self.brand.network.token(TOKEN, revoked=True)
        self.has_token = False

    @precondition(lambda self: not self.has_token)
    @rule()
    def the_account_is_connected_again(self) -> None:
        self.brand.network.token(TOKEN)
        self.has_token = True
        self.brand.line.reads.clear()
        change = {"secrets": {"access_token": TOKEN}}
        self.run(self.brand.circle.call("PATCH", "/api/v1/accounts/1", change))

    # --- What people do ------------------------------------------------------------------------------

    @rule()
    def the_switch_is_thrown(self) -> None:
        self.is_voice_on = not self.is_voice_on
        self.run(self.brand.circle.call("PUT", "/api/v1/voice", {"on": self.is_voice_on}))

    @rule(again=st.booleans())
    def the_release_is_withdrawn(self, again: bool) -> None:
        self.run(self._withdraw())
        if again:
            self.run(self._publish())

    @rule(hears=st.booleans())
    def the_fix_is_released(self, hears: bool) -> None:
        self.run(self._publish())
        if hears:
            self.run(self._until_death(JOBS["poll_trackers"].job, None))
            self.run(self._until_death(JOBS["look_at_issues"].job, None))

    async def _withdraw(self) -> None:
        if self.release is not None:
            await self.brand.board.delete_release(self.release, now=self.brand.circle.clock())
            self.release = None
            await self._press("/api/v1/trackers/1/pull")

    async def _publish(self) -> None:
        if self.release is None:
            self.releases += 1
            now = self.brand.circle.clock()
            self.release = await self.brand.board.release(f"v2.4.{self.releases}", now=now)

    @rule(customer=st.integers(0, CUSTOMERS - 1))
    def somebody_answers_by_hand(self, customer: int) -> None:
        had = len(self.brand.network.ledger)
        if self.has_token:
            self.brand.say_by_hand("We have fixed it, please update!", self.brand.customers[customer])
            self.said_by_hand |= {entry["id"] for entry in self.brand.network.ledger[had:]}
            self.left_to_people.add(customer)

    @rule(reply=st.integers(1, CUSTOMERS), button=st.sampled_from(["retry", "hold", "release", "cancel"]))
    def somebody_presses(self, reply: int, button: str) -> None:
        self.left_to_people |= {reply - 1} if button in {"hold", "cancel"} else set()
        self.run(self._press(f"/api/v1/replies/{reply}/{button}"))

    @rule(reply=st.integers(1, CUSTOMERS))
    def somebody_takes_it_to_post_it(self, reply: int) -> None:
        if self.run(self._press(f"/api/v1/replies/{reply}/take_over")) == 200:
            self.in_hand.add(reply)

    @precondition(lambda self: self.in_hand)
    @rule(posts=st.booleans())
    def whoever_has_one_in_hand_says_whether_they_posted_it(self, posts: bool) -> None:
        reply = self.in_hand.pop()
        customer = self.brand.customers[reply - 1]
        if self.ours(reply - 1):
            posts = True  # they look in the thread first, and there it is
        elif posts and self.has_token:
            self.brand.say_by_hand("The fix is out: does it work for you?", customer)
        else:
            posts = False
        path = f"/api/v1/replies/{reply}/{'posted' if posts else 'not_posted'}"
        if self.run(self._press(path)) != 200 and posts:
            self.in_hand.add(reply)  # they say so until they are heard

    @rule(mode=st.sampled_from(["automatic", "by_hand"]))
    def the_account_is_set_to_be_served_by_hand_or_not(self, mode: str) -> None:
        self.run(self.brand.circle.call("PATCH", "/api/v1/accounts/1", {"mode": mode}))

    async def _press(self, path: str) -> int:
        """A button may be the wrong one now (409), and its process may die; the service never fails at it."""
        try:
            answer = await self.brand.circle.api.post(path)
        except Died:
            return 0
        assert answer.status_code < 500 or answer.status_code in {502, 503}, answer.text
        return answer.status_code

    # --- The end of all trouble ----------------------------------------------------------------------

    def teardown(self) -> None:
        try:
            if self.made is not None:
                self.run(self._calm_down())
                self.nobody_reads_two_replies()
                for customer in set(range(CUSTOMERS)) - self.left_to_people:
                    replies = self.run(self.brand.circle.get("/api/v1/replies"))["items"]
                    assert len(self.ours(customer)) == 1, f"customer {customer} was never told: {replies}"
        finally:
            self.run(self.stack.aclose())
            self.runner.close()
            if self.made is not None:
                self.databases.drop(self.url)

    async def _calm_down(self) -> None:
        line = self.brand.line
        line.fates.clear()
        line.reads.clear()
        await self.brand.board.calm()
        await self._wake()
        if not self.is_voice_on:
            await self.brand.circle.call("PUT", "/api/v1/voice", {"on": True})
        if not self.has_token:
            self.brand.network.token(TOKEN)
            await self.brand.circle.call("PATCH", "/api/v1/accounts/1", {"secrets": {"access_token": TOKEN}})
        await self.brand.rest_for(600)
        while self.in_hand:
            reply = self.in_hand.pop()
            said = self.ours(reply - 1)
            await self._press(f"/api/v1/replies/{reply}/{'posted' if said else 'not_posted'}")
        await self.brand.circle.call("PATCH", "/api/v1/accounts/1", {"mode": "automatic"})
        await self._publish()
        await self._press("/api/v1/trackers/1/pull")
        await self._press("/api/v1/accounts/1/pull")
        # The longest wait is an hour; after it, a call and the search for it may be due.
        await self.brand.rest_for(timedelta(hours=2).total_seconds())
        async with self.brand.circle.river.db.read() as session:
            account = await session.get(Account, 1)
        assert account is not None
        assert account.ok, account.why


def _forgive_death(task: asyncio.Task[bool]) -> None:
    """A worker may die; any other end with an error is the test's."""
    error = task.exception()
    if error is not None and not isinstance(error, Died):
        raise error
