"""The WordPress channel against WordPress itself."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.channels.wordpress import LIMIT, WordPress, WordPressSecrets, WordPressSettings
from app.http import make_client
from app.ports import Connection, OutsideError, PostPage
from app.rules.facts import Outgoing, Post, ThreadLook
from app.rules.quoting import same_text
from tests.real.wordpress_server import WordPressSite, start_wordpress

LATER = timedelta(minutes=1)
TEXT = "It works now, since 2.4.1. Does it for you? ありがとう 🌸"


@pytest.fixture(scope="module")
def running() -> Iterator[WordPressSite]:
    with start_wordpress() as site:
        yield site


@pytest.fixture
def site(running: WordPressSite) -> WordPressSite:
    """The same site for all tests, as if nobody had ever commented: starting one takes seconds."""
    running.run(
        "foreach (get_comments(['status' => 'any']) as $c) wp_delete_comment($c->comment_ID, true);"
        "foreach (['spam', 'trash'] as $s) foreach (get_comments(['status' => $s]) as $c) wp_delete_comment($c->comment_ID, true);"
    )
    return running


def connection(site: WordPressSite, http: httpx.AsyncClient, *, who: str = "acme", **more: Any) -> Connection:
    password = more.pop("password", site.passwords.get(who, "sentinel"))
    return Connection(
        settings=WordPressSettings.model_validate({"base_url": site.base_url, "username": who, **more}),
        secrets=WordPressSecrets.model_validate({"application_password": password}),
        http=http,
        now=lambda: datetime.now(UTC) + LATER,
        base_url="http://127.0.0.1:8000",
    )


@asynccontextmanager
async def connected(site: WordPressSite, *, seconds: float = 30, **more: Any) -> AsyncIterator[WordPress]:
    """The channel as the service builds it once `connect` has told it who we are."""
    async with make_client(seconds=seconds, version="0") as http:
        known = connection(site, http, **more)
        profile = await WordPress(known).connect()
        yield WordPress(replace(known, remote_id=profile.remote_id, facts=profile.facts))


async def pulled(channel: WordPress, cursor: str | None = None) -> list[PostPage]:
    return [page async for page in channel.pull(cursor=cursor, since=datetime.now(UTC) - timedelta(days=3))]


def posts_of(pages: list[PostPage]) -> list[Post]:
    return [post for page in pages for post in page.posts]


async def complaint(channel: WordPress, site: WordPressSite) -> Post:
    said = site.comment(site.article(), "Export crashes on Safari", by="ana")
    return await channel.find(said["link"])


def reply_to(post: Post, text: str = TEXT) -> Outgoing:
    return Outgoing(
        text=text,
        post=post,
        key="5f0c7f1e9d4b4d6f8a3b2c1d0e9f8a7b",
        visibility="public",
        language="en",
        content_warning="",
        created_at=datetime.now(UTC),
    )


def texts(look: ThreadLook) -> list[str]:
    return [own.text for own in look.own_replies]


# --- connecting


async def test_connects_as_an_editor(site: WordPressSite) -> None:
    async with make_client(seconds=30, version="0") as http:
        profile = await WordPress(connection(site, http)).connect()
    assert (profile.remote_id, profile.handle, profile.scopes) == (site.ids["acme"], "Acme", ("editor",))
    assert profile.facts["root"] == f"{site.base_url}/wp-json"


async def test_finds_the_api_of_a_site_without_pretty_permalinks(site: WordPressSite) -> None:
    site.run("update_option('permalink_structure', ''); flush_rewrite_rules(false);")
    try:
        async with connected(site) as channel:
            post = await complaint(channel, site)
            await channel.send(reply_to(post))
            assert texts(await channel.look(post)) == [TEXT]
            assert [one.external_id for one in posts_of(await pulled(channel))] == [post.external_id]
    finally:
        site.run("update_option('permalink_structure', '/%year%/%postname%/'); flush_rewrite_rules(false);")


@pytest.mark.parametrize(
    ("who", "password", "said"),
    [
        ("acme", "sentinel wrong password", "application password is wrong or revoked"),
        ("nobody", "sentinel wrong password", "user name or the application password is wrong"),
        ("ben", None, "role contributor: give it the role Editor"),
        ("ana", None, "role subscriber: give it the role Editor"),
    ],
)
async def test_says_what_is_wrong_with_credentials(
    site: WordPressSite, who: str, password: str | None, said: str
) -> None:
    more = {"password": password} if password else {}
    async with make_client(seconds=30, version="0") as http:
        with pytest.raises(OutsideError, match=said) as raised:
            await WordPress(connection(site, http, who=who, **more)).connect()
    assert raised.value.kind == "auth_broken"
    assert "sentinel" not in repr(raised.value)


async def test_says_that_application_passwords_are_switched_off(site: WordPressSite) -> None:
    plugin = site.folder / "wp-content/mu-plugins/off.php"
    plugin.write_text("<?php add_filter('wp_is_application_passwords_available', '__return_false');")
    try:
        async with make_client(seconds=30, version="0") as http:
            # WordPress then takes no notice of the credentials, and shows the public list all the same.
            with pytest.raises(OutsideError, match="forbids application passwords") as raised:
                await WordPress(connection(site, http)).connect()
    finally:
        plugin.unlink()
    assert raised.value.kind == "auth_broken"


async def test_says_that_a_plugin_closes_the_api(site: WordPressSite) -> None:
    plugin = site.folder / "wp-content/mu-plugins/closed.php"
    plugin.write_text(
        "<?php add_filter('rest_authentication_errors', fn() => new WP_Error('rest_disabled', 'The REST API is off.', ['status' => 403]), 999);"
    )
    try:
        async with make_client(seconds=30, version="0") as http:
            with pytest.raises(OutsideError, match="security plugin") as raised:
                await WordPress(connection(site, http)).connect()
    finally:
        plugin.unlink()
    assert raised.value.kind == "auth_broken"


async def test_an_update_in_progress_is_waited_for_and_takes_nothing(site: WordPressSite) -> None:
    async with connected(site) as channel:
        post = await complaint(channel, site)
        marker = site.folder / ".maintenance"
        marker.write_text("<?php $upgrading = time();")
        try:
            for call in (channel.look(post), channel.connect(), pulled(channel)):
                with pytest.raises(OutsideError) as raised:
                    await call
                assert raised.value.kind == "transient"
                assert raised.value.retry_at is not None
        finally:
            marker.unlink()
        assert (await channel.look(post)).own_replies == ()


# --- reading


async def test_reads_several_pages_in_order_and_goes_on_after_the_last(site: WordPressSite) -> None:
    article = site.article()
    start = datetime.now(UTC) - timedelta(days=2)
    site.run(
        f"for ($i = 0; $i < 250; $i++) wp_insert_comment(['comment_post_ID' => {article}, 'comment_content' => \"number $i\","
        f"'comment_author' => \"Guest $i\", 'comment_approved' => 1, 'comment_date_gmt' => gmdate('Y-m-d H:i:s', {int(start.timestamp())} + $i),"
        f"'comment_date' => get_date_from_gmt(gmdate('Y-m-d H:i:s', {int(start.timestamp())} + $i))]);"
    )
    async with connected(site) as channel:
        pages = await pulled(channel)
        assert [post.text for post in posts_of(pages)] == [f"number {i}" for i in range(250)]
        assert max(len(page.posts) for page in pages) == 100
        newer = site.comment(article, "one more", by="ana")
        again = posts_of(await pulled(channel, pages[-1].cursor))
    assert again[-1].external_id == str(newer["id"])
    assert len(again) == 251  # the overlap: all within 75 minutes before the last


async def test_reads_what_a_comment_says_and_nothing_of_a_guests_address(site: WordPressSite) -> None:
    article = site.article()
    said = site.comment(article, 'Export "crashes" &amp; <b>burns</b> :)\nwith 2x4', guest="Cleo")
    async with connected(site) as channel:
        post = posts_of(await pulled(channel))[0]
    assert post.text == 'Export "crashes" & burns :)\nwith 2x4'
    assert (post.url, post.thread_id) == (said["link"], f"{site.base_url.removeprefix('http://')}/?p={article}")
    assert (post.author.name, post.author.weak) == ("Cleo", True)
    assert said["author_email"] == "cleo@guests.example"
    assert not {word for word in ("cleo@", "gravatar", "127.0.0.1:1", "httpx") if word in f"{post}"}


async def test_follows_what_moderators_do(site: WordPressSite) -> None:
    article = site.article()
    said = [site.comment(article, f"number {i}", guest=f"Guest{i}", status="hold") for i in range(4)]
    async with connected(site) as channel:
        pages = await pulled(channel)
        assert [(post.text, post.visibility) for post in posts_of(pages)] == [
            (f"number {i}", "private") for i in range(4)
        ]
        site.moderate(said[0], status="approved")
        site.moderate(said[1], status="spam")
        site.delete(said[2])
        again = await pulled(channel, pages[-1].cursor)
    assert {(post.text, post.visibility) for post in posts_of(again)} == {("number 0", "public")}
    assert (again[-1].cursor or "").endswith(f'"held": [{said[3]["id"]}]}}')


async def test_leaves_out_pingbacks_and_ourselves(site: WordPressSite) -> None:
    article = site.article()
    site.run(
        f"wp_insert_comment(['comment_post_ID' => {article}, 'comment_type' => 'pingback', 'comment_content' => 'ping', 'comment_approved' => 1]);"
    )
    site.comment(article, "we say", by="acme")
    kept = site.comment(article, "export crashes", by="ana")
    async with connected(site) as channel:
        assert [post.external_id for post in posts_of(await pulled(channel))] == [str(kept["id"])]


async def test_comments_under_what_not_everybody_reads_are_private(site: WordPressSite) -> None:
    for title, more in (("secret", {"password": "swordfish"}), ("inside", {"status": "private"}), ("open", {})):
        site.comment(site.article(title, **more), title, by="ana")
    page = int(site.call("POST", "pages", json={"title": "page", "status": "publish", "comment_status": "open"})["id"])
    site.comment(page, "page", by="ana")
    async with connected(site) as channel:
        seen = {post.text: post.visibility for post in posts_of(await pulled(channel))}
    assert seen == {"secret": "private", "inside": "private", "open": "public", "page": "public"}


async def test_hears_who_answers_us_at_the_deepest_level(site: WordPressSite) -> None:
    async with connected(site, reply_depth=2) as channel:
        post = await complaint(channel, site)
        sent = await channel.send(reply_to(post))
        article = int(post.reply_ref["post"])
        at = {"date_gmt": (datetime.now(UTC) + timedelta(seconds=5)).replace(tzinfo=None).isoformat()}
        site.comment(article, "works now", by="ana", parent=int(post.external_id), **at)
        site.comment(article, "not for me", by="ben", parent=int(post.external_id), **at)
        seen = {one.text: one.answers_id for one in posts_of(await pulled(channel))}
    assert seen == {post.text: None, "works now": sent.external_id, "not for me": post.external_id}


# --- speaking


async def test_a_whole_conversation(site: WordPressSite) -> None:
    async with connected(site) as channel:
        post = await complaint(channel, site)
        before = await channel.look(post)
        sent = await channel.send(reply_to(post))
        after = await channel.look(post)
        site.comment(int(post.reply_ref["post"]), "yes, thanks!", by="ana", parent=int(sent.external_id))
        answer = posts_of(await pulled(channel))[-1]
    assert (before.own_replies, before.authoritative, before.post) == ((), True, post)
    assert [(own.external_id, own.text, own.visible) for own in after.own_replies] == [(sent.external_id, TEXT, True)]
    assert (answer.answers_id, answer.thread_id) == (sent.external_id, post.thread_id)
    assert answer.author.external_id == post.author.external_id
    said = site.replies_to(post.external_id)[0]
    assert (str(said["author"]), said["status"]) == (site.ids["acme"], "approved")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script> is <b>harmless</b> & 1 < 2 > 0",
        'It\'s "fine" -- since 2.4.1... 2x4 :) (c) [gallery]',
        "See https://example.com/?a=1&b=2#c\n\nand write to help@example.com",
        "&lt;b&gt; &amp; stays &#x1F338; 🌸",
        "日本語\n  two spaces  \nend",
    ],
)
async def test_what_is_read_back_is_what_was_said(site: WordPressSite, text: str) -> None:
    async with connected(site) as channel:
        post = await complaint(channel, site)
        await channel.send(reply_to(post, text))
        [read] = texts(await channel.look(post))
    assert same_text(text, read)
    shown = site.replies_to(post.external_id)[0]["content"]["rendered"]
    assert "<script" not in shown
    assert "<b>" not in shown


async def test_a_text_of_exactly_the_limit_is_taken_and_one_more_is_too_long(site: WordPressSite) -> None:
    async with connected(site) as channel:
        post = await complaint(channel, site)
        text = "<é> " + "x" * (LIMIT - channel.count("<é> "))
        await channel.send(reply_to(post, text))
        with pytest.raises(OutsideError) as raised:
            await channel.send(reply_to(post, text + "!"))
    assert raised.value.kind == "too_long"


async def test_the_same_text_again_is_the_same_reply(site: WordPressSite) -> None:
    async with connected(site) as channel:
        post = await complaint(channel, site)
        assert await channel.send(reply_to(post)) == await channel.send(reply_to(post))
    assert len(site.replies_to(post.external_id)) == 1


async def test_a_duplicate_that_is_spam_is_not_taken_for_said(site: WordPressSite) -> None:
    async with connected(site) as channel:
        post = await complaint(channel, site)
        site.breaks("spam")
        sent = await channel.send(reply_to(post))
        assert not sent.visible
        with pytest.raises(OutsideError, match="look in its spam") as raised:
            await channel.send(reply_to(post))
    assert raised.value.kind == "forbidden"


async def test_a_reply_held_for_moderation_is_not_visible_until_it_is_approved(site: WordPressSite) -> None:
    async with connected(site) as channel:
        post = await complaint(channel, site)
        site.breaks("held")
        sent = await channel.send(reply_to(post))
        held = (await channel.look(post)).own_replies
        site.moderate(sent.external_id, status="approved")
        approved = (await channel.look(post)).own_replies
    assert not sent.visible
    assert [own.visible for own in held + approved] == [False, True]


async def test_too_fast_is_tried_again_later(site: WordPressSite) -> None:
    async with connected(site) as channel:
        post = await complaint(channel, site)
        site.breaks("flood")
        with pytest.raises(OutsideError, match="too fast") as raised:
            await channel.send(reply_to(post))
        assert raised.value.kind == "transient"
        assert raised.value.retry_at is not None
        await channel.send(reply_to(post))


async def test_closed_comments_are_seen_before_and_refused_after(site: WordPressSite) -> None:
    async with connected(site) as channel:
        post = await complaint(channel, site)
        site.call("POST", f"posts/{post.reply_ref['post']}", json={"comment_status": "closed"})
        assert (await channel.look(post)).post.locked
        with pytest.raises(OutsideError, match="comments are closed") as raised:
            await channel.send(reply_to(post))
    assert raised.value.kind == "forbidden"


@pytest.mark.parametrize("fate", ["spam", "trash", "deleted", "article trashed", "article deleted"])
async def test_nothing_is_said_to_a_comment_that_is_gone(site: WordPressSite, fate: str) -> None:
    async with connected(site) as channel:
        post = await complaint(channel, site)
        if fate == "deleted":
            site.delete(post.external_id)
        elif fate.startswith("article"):
            force = {"force": "true"} if fate == "article deleted" else {}
            site.call("DELETE", f"posts/{post.reply_ref['post']}", params=force)
        else:
            site.moderate(post.external_id, status=fate)
        for call in (channel.look(post), channel.send(reply_to(post)), channel.find(post.url)):
            with pytest.raises(OutsideError) as raised:
                await call
            assert raised.value.kind == "gone", raised.value.message
    assert site.replies_to(post.external_id) == []


async def test_an_edit_and_a_withdrawal_are_seen_before_speaking(site: WordPressSite) -> None:
    async with connected(site) as channel:
        post = await complaint(channel, site)
        site.moderate(post.external_id, content="Never mind")
        edited = (await channel.look(post)).post
        site.moderate(post.external_id, status="hold")
        withdrawn = (await channel.look(post)).post
    assert (edited.text, edited.edited_at is not None) == ("Never mind", True)
    assert withdrawn.visibility == "private"


@pytest.mark.parametrize(("how", "in_flight"), [("gateway", True), ("fatal", None)])
async def test_an_answer_lost_after_the_comment_was_made_is_found_under_the_parent(
    site: WordPressSite, how: str, in_flight: bool | None
) -> None:
    async with connected(site) as channel:
        post = await complaint(channel, site)
        site.breaks(how)
        with pytest.raises(OutsideError) as raised:
            await channel.send(reply_to(post))
        assert raised.value.kind == "unknown"
        assert in_flight is None or raised.value.in_flight == in_flight
        look = await channel.look(post)
        again = await channel.send(reply_to(post))
    assert [own.external_id for own in look.own_replies] == [again.external_id]
    assert len(site.replies_to(post.external_id)) == 1


async def test_a_slow_site_makes_the_comment_though_we_gave_up(site: WordPressSite) -> None:
    async with connected(site) as patient:
        post = await complaint(patient, site)
        async with connected(site, seconds=2) as channel:
            site.breaks("slow")
            with pytest.raises(OutsideError) as raised:
                await channel.send(reply_to(post))
        assert (raised.value.kind, raised.value.in_flight) == ("unknown", True)
        deadline = time.monotonic() + 10
        while not (found := texts(await patient.look(post))) and time.monotonic() < deadline:
            pass
    assert found == [TEXT]
