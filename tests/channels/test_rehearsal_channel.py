"""The rehearsal channel where it goes beyond the contract: its troubles, its keys, its brand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app.channels.rehearsal import Rehearsal, RehearsalSecrets, RehearsalSettings
from app.ports import Connection, OutsideError
from app.rules.facts import Outgoing, Post
from app.staging import Fault, Square, StagedPost
from tests.support.stage import MemoryStage

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


def channel(stage: MemoryStage | None, *, scene: str = "main", brand: str = "Acme") -> Rehearsal:
    return Rehearsal(
        Connection(
            settings=RehearsalSettings(scene=scene, brand=brand),
            secrets=RehearsalSecrets(),
            http=httpx.AsyncClient(),
            now=lambda: NOW,
            base_url="http://127.0.0.1:8000",
            stage=stage,
        )
    )


async def complaint(stage: MemoryStage, *, scene: str = "main") -> Post:
    await Square(stage, scene).say(StagedPost(handle="ana", text="It is broken", at=NOW, language="en"))
    return [post async for page in channel(stage, scene=scene).pull(cursor=None, since=NOW) for post in page.posts][-1]


def reply(post: Post, *, key: str = "k") -> Outgoing:
    return Outgoing(
        text="@ana It is fixed",
        post=post,
        key=key,
        visibility="public",
        language="en",
        content_warning="",
        created_at=NOW,
    )


async def test_a_reply_whose_answer_was_lost_is_found_in_the_thread_and_not_made_twice() -> None:
    stage = MemoryStage()
    post = await complaint(stage)
    await Square(stage, "main").faults.add(Fault(call="send", kind="unknown", accepted=True, in_flight=True, times=1))
    with pytest.raises(OutsideError) as lost:
        await channel(stage).send(reply(post))
    assert (lost.value.kind, lost.value.in_flight) == ("unknown", True)
    (found,) = (await channel(stage).look(post)).own_replies
    assert found.text == "@ana It is fixed"
    assert (await channel(stage).send(reply(post))).external_id == found.external_id
    assert len((await channel(stage).look(post)).own_replies) == 1


async def test_trouble_before_the_deed_leaves_nothing_behind() -> None:
    stage = MemoryStage()
    post = await complaint(stage)
    await Square(stage, "main").faults.add(Fault(call="send", kind="rate_limited", retry_seconds=90))
    with pytest.raises(OutsideError) as refused:
        await channel(stage).send(reply(post))
    assert refused.value.retry_at == NOW + timedelta(seconds=90)
    assert (await channel(stage).look(post)).own_replies == ()


async def test_a_read_whose_answer_is_lost_is_no_answer() -> None:
    stage = MemoryStage()
    post = await complaint(stage)
    await Square(stage, "main").faults.add(Fault(call="*", kind="transient", accepted=True))
    with pytest.raises(OutsideError):
        await channel(stage).look(post)


async def test_two_scenes_never_hear_each_other() -> None:
    stage = MemoryStage()
    post = await complaint(stage)
    assert [p async for p in channel(stage, scene="other").pull(cursor=None, since=NOW)] == []
    with pytest.raises(OutsideError) as absent:
        await channel(stage, scene="other").look(post)
    assert absent.value.kind == "gone"


async def test_two_brands_on_one_square_count_only_their_own_replies() -> None:
    stage = MemoryStage()
    post = await complaint(stage)
    await channel(stage, brand="Rival").send(reply(post))
    assert (await channel(stage).look(post)).own_replies == ()
    assert len((await channel(stage, brand="Rival").look(post)).own_replies) == 1


async def test_pages_follow_one_another_without_a_gap() -> None:
    stage = MemoryStage()
    square = Square(stage, "main")
    for number in range(1_203):
        await square.say(StagedPost(handle="ana", text=f"No. {number}", at=NOW))
    pages = [page async for page in channel(stage).pull(cursor="3", since=NOW)]
    assert [post.external_id for page in pages for post in page.posts] == [str(n) for n in range(4, 1_204)]
    assert [page.cursor for page in pages] == ["503", "1003", "1203"]


@pytest.mark.parametrize("foreign", ["", "at://did:plc:x/1", "-1", "1" * 40, "²"])
async def test_an_id_of_another_network_is_refused_as_such(foreign: str) -> None:
    stage = MemoryStage()
    post = replace(await complaint(stage), external_id=foreign)
    with pytest.raises(OutsideError) as refused:
        await channel(stage).look(post)
    assert refused.value.kind == "invalid"


async def test_says_so_where_it_was_started_without_a_stage() -> None:
    with pytest.raises(OutsideError) as refused:
        await channel(None).connect()
    assert refused.value.kind == "misconfigured"


@pytest.mark.parametrize("scene", ["", "Main", "a/b", "../x", "-a", "a" * 41])
def test_a_scene_is_a_word_that_can_stand_in_an_address(scene: str) -> None:
    with pytest.raises(ValueError, match="scene"):
        RehearsalSettings(scene=scene)
