"""A private tracker keeps its words: a sentinel in everything that engineers wrote is in nothing that the public reads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.rules import wording
from app.rules.facts import ReplyKind
from app.rules.texts import STAND_INS
from app.steps import owe
from app.store.tables import Account, Identity, Issue, Post, Shipment
from tests.support import story
from tests.support.circle import Circle, circle
from tests.support.github_server import GitHubServer
from tests.support.github_world import GitHubWorld
from tests.support.mastodon_network import MastodonNetwork
from tests.support.outsides import APP, SOCIAL, Outsides, github_tracker, mastodon_account

SENTINEL = "Quuxweasel"
KINDS: tuple[ReplyKind, ...] = get_args(ReplyKind)
LANGUAGES = tuple(STAND_INS)
ALL_NAMES = "{{ customer }} · {{ product }} · {{ version }} · {{ release_url }} · {{ link }}"


class TalkativeWorld(GitHubWorld):
    """A GitHub whose issues have labels and a milestone as well."""

    def issue_json(self, issue: Any) -> dict[str, Any]:
        return {
            **super().issue_json(issue),
            "labels": [{"id": 1, "name": f"{SENTINEL} label", "description": SENTINEL, "color": "ff0000"}],
            "milestone": {"id": 1, "number": 1, "title": f"{SENTINEL} milestone", "description": SENTINEL},
            "assignees": [{"login": SENTINEL, "id": 5}],
        }


def secretive(root: Path) -> Outsides:
    world = TalkativeWorld(root)
    world.create_repository(APP, private=True)
    return Outsides(MastodonNetwork(base_url=SOCIAL), GitHubServer(world))


@pytest.fixture
def outside(tmp_path: Path) -> Outsides:
    return secretive(tmp_path / "github")


@pytest.fixture
async def played(database_url: str, outside: Outsides) -> AsyncIterator[Circle]:
    async with circle(database_url, product="Acme", make_http=outside.client) as made:
        outside.network.now = made.clock
        outside.world.clock.set(made.clock.moment)
        yield made


async def connect(played: Circle, outside: Outsides, **changes: Any) -> None:
    """An account whose replies carry a link, a private repository, and a customer for each language who waits for #1."""
    link = {"base_url": SOCIAL, "link": "https://acme.example/help"}
    await played.post("/api/v1/accounts", mastodon_account(settings=link, **changes), status=201)
    await played.post("/api/v1/trackers", github_tracker(), status=201)
    assert (await played.get("/api/v1/trackers/1"))["visible_to_public"] is False
    world = outside.world
    world.open_issue(APP, f"{SENTINEL}: export hangs", body=f"Seen by {SENTINEL}, see the {SENTINEL} board.")
    world.comment(APP, 1, f"{SENTINEL} says it is the cache")
    for language in LANGUAGES:
        outside.network.mention(f"customer-{language}@other.example", "Export hangs", language=language)
    played.clock.move(minutes=10)
    await played.post("/api/v1/accounts/1/pull")
    for post in (await played.get("/api/v1/posts"))["items"]:
        await story.tag(played, post, ref="#1", tags=[SENTINEL])
    await played.post("/api/v1/loops/1/notes", {"text": f"{SENTINEL} again"}, status=201)


def fix_and_release(played: Circle, outside: Outsides, tag: str) -> int:
    """A pull request from a branch with a telling name, and a release with a telling title and notes."""
    world = outside.world
    world.clock.set(played.clock.moment)
    branch = f"{SENTINEL}/fix-export"
    world.branch(APP, branch)
    world.commit(APP, f"Write the {SENTINEL} row\n\nFixes #1", branch=branch)
    number = world.open_pull(APP, branch, f"{SENTINEL}: write the last row", body=f"Fixes #1\n\nAs {SENTINEL} asked.")
    world.merge_pull(APP, number)
    released = world.release(APP, tag, name=f"The {SENTINEL} release", body=f"{SENTINEL} can export again.")
    played.clock.moment = world.clock.now()
    played.clock.move(minutes=5)
    return released


def is_silent(outside: Outsides, *more: Any) -> None:
    """No public text, and nothing that went to the network at all, holds the sentinel in any form."""
    for text in (json.dumps(outside.network.ledger, default=str, ensure_ascii=False), *map(str, more)):
        assert SENTINEL.lower() not in text.lower()
        assert "acme/app" not in text, "nor the repository's name or the issue's address"
        assert "#1" not in text


@pytest.mark.parametrize(
    ("tag", "reads"),
    [
        ("v2.4.1", "v2.4.1"),
        (f"v2.4.1-{SENTINEL}", ""),
        (f"{SENTINEL}-2.4.1", ""),
        (SENTINEL, ""),
        (f"v2.4.1+{SENTINEL.lower()}", ""),
    ],
)
async def test_no_word_of_a_private_repository_is_in_what_the_public_reads(
    played: Circle, outside: Outsides, tag: str, reads: str
) -> None:
    await connect(played, outside)
    released = fix_and_release(played, outside, tag)
    await played.post("/api/v1/trackers/1/pull")
    await played.rest()
    said = [entry["text"] for entry in outside.network.ledger]
    assert len(said) == len(LANGUAGES), "every customer was told, in their language"
    for language in LANGUAGES:
        [text] = [text for text in said if f"customer-{language}" in text]
        assert (reads or STAND_INS[language].version) in text
    is_silent(outside)

    outside.world.delete_release(APP, released)
    played.clock.move(minutes=5)
    await played.post("/api/v1/trackers/1/pull")
    await played.rest()
    corrections = [
        reply
        for reply in (await played.get("/api/v1/replies", params={"limit": 200}))["items"]
        if reply["kind"] == "correction"
    ]
    assert len(corrections) == len(LANGUAGES)
    for reply in corrections:
        await played.post(f"/api/v1/replies/{reply['id']}/approve")
    await played.rest()
    assert len(outside.network.ledger) == 2 * len(LANGUAGES)
    is_silent(outside, [reply["text"] for reply in corrections])

    issue = await played.get("/api/v1/issues/1")
    assert SENTINEL in issue["title"], "engineers' words are here for colleagues"
    assert SENTINEL in json.dumps([str(r) for r in outside.github.world.repository(APP).issues.values()])


async def test_a_template_that_reads_all_it_may_reads_no_word_of_the_ticket(played: Circle, outside: Outsides) -> None:
    await connect(played, outside, mode="approve")
    for kind in KINDS:
        for language in LANGUAGES:
            body = {"language": language, "text": f"{kind}: {ALL_NAMES}"}
            await played.call("PUT", f"/api/v1/templates/{kind}", body)
    fix_and_release(played, outside, f"v2.4.1-{SENTINEL}")
    await played.post("/api/v1/trackers/1/pull")
    texts = [reply["text"] for reply in (await played.get("/api/v1/replies", params={"limit": 200}))["items"]]
    assert len(texts) == len(LANGUAGES)
    async with played.river.db.read() as session:
        account, post = await session.get(Account, 1), await session.get(Post, 1)
        shipment, identity = await session.get(Shipment, 1), await session.get(Identity, 1)
        assert account is not None
        assert post is not None
        assert shipment is not None
        assert identity is not None
        assert SENTINEL in shipment.label, "engineers see the tag"
        for kind in KINDS:
            overrides = await owe.own_templates(session, kind)
            for language in LANGUAGES:
                post.language = language
                for given in (shipment, None):
                    frozen = owe.freeze(
                        played.river,
                        overrides,
                        kind=kind,
                        post=post,
                        identity=identity,
                        account=account,
                        shipment=given,
                    )
                    assert frozen.text.startswith("@customer-")
                    texts.append(frozen.text)
    assert all("https://acme.example/help" in text for text in texts)
    is_silent(outside, texts)


def test_a_public_text_is_made_of_five_values_and_of_nothing_else() -> None:
    assert {field.name for field in fields(wording.Context)} == {
        "customer",
        "product",
        "version",
        "release_url",
        "link",
    }


WORDS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=15)
SECRETS = st.builds(lambda before, after: f"{before}{SENTINEL}{after}", WORDS, WORDS)
PIECES = st.sampled_from(
    [
        "{{ customer }}",
        "{{ product }}",
        "{{ version }}",
        "{{ release_url }}",
        "{{ link }}",
        "{% if version %}out in {{ version }}{% else %}out{% endif %}",
        "{% if release_url %}{{ release_url }}{% endif %}",
        "{{ version|upper }}",
        "{{ version ~ release_url }}",
        " and ",
    ]
)
TEMPLATES = st.lists(PIECES, min_size=1, max_size=6).map(lambda pieces: "Done. " + " ".join(pieces))


def test_whatever_a_ticket_and_a_template_say_only_the_public_half_of_a_shipment_is_read(
    database_url: str,
) -> None:
    """The private half of a shipment, its issue and its evidence hold the sentinel in every field."""
    with asyncio.Runner() as runner:
        opened = circle(database_url, product="Acme")
        played = runner.run(opened.__aenter__())
        runner.run(played.connect_rehearsal())

        @settings(max_examples=150, suppress_health_check=list(HealthCheck))
        @given(st.data())
        def holds(data: st.DataObject) -> None:
            secret = data.draw(SECRETS)
            public_label = data.draw(st.sampled_from(["", "v2.4.1", "2026.3"]))
            shipment = Shipment(
                label=secret,
                url=f"https://github.example/{secret}",
                public_label=public_label,
                public_url=data.draw(st.sampled_from(["", "https://acme.example/releases/v2.4.1"])),
                evidence=[{"kind": "change", "level": 1, "label": secret, "url": secret, "at": None}],
                digest=secret,
                withdrawn_why=secret,
                issue_id=1,
            )
            text = runner.run(frozen(played, data.draw(TEMPLATES), data.draw(st.sampled_from(KINDS)), shipment))
            assert SENTINEL.lower() not in text.lower()

        try:
            holds()
        finally:
            runner.run(opened.__aexit__(None, None, None))


async def frozen(played: Circle, template: str, kind: ReplyKind, shipment: Shipment) -> str:
    """What one customer would read."""
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    await played.call("PUT", f"/api/v1/templates/{kind}", {"language": "en", "text": template})
    identity = Identity(
        external_id="ana", handle="ana", name="", url=None, followers=None, weak=False, channel="rehearsal"
    )
    post = Post(
        external_id="1",
        canonical_id="rehearsal:main/posts/1",
        url="http://fullcircle.test/rehearsal/main/posts/1",
        text="Export hangs",
        raw="{}",
        language="en",
        visibility="public",
        content_warning="",
        media=[],
        reply_ref={},
        thread_id="rehearsal:main/posts/1",
        created_at=now,
    )
    async with played.river.db.read() as session:
        account = await session.get(Account, 1)
        assert account is not None
        overrides = await owe.own_templates(session, kind)
        made = owe.freeze(
            played.river, overrides, kind=kind, post=post, identity=identity, account=account, shipment=shipment
        )
    return made.text


@pytest.mark.parametrize(
    "name", sorted({column.name for column in Issue.__table__.columns} | {"issue", "title", "body"})
)
def test_no_template_can_name_anything_of_an_issue(name: str) -> None:
    if name in wording.NAMES:
        pytest.fail(f"{name} is both a column of an issue and a name a template may read")
    with pytest.raises(wording.TemplateError):
        wording.check_template(f"Fixed: {{{{ {name} }}}}")
