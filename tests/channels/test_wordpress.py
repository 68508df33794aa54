"""The WordPress channel beyond its payloads: settings, parsing, long lists, moderation, and every way to lose an answer."""

from __future__ import annotations

import gc
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.channels.wordpress import Site as Home
from app.channels.wordpress import WordPress, WordPressSecrets, WordPressSettings, as_html, parse_comment
from app.ports import Connection, OutsideError, PostPage
from app.rules.facts import Outgoing, Post
from app.rules.plaintext import plain_text
from tests.support.wordpress_site import BASE_URL, ME, PASSWORD, USERNAME, Comment, Effect, Site

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TEXT = "It works now, since 2.4.1. Does it for you?"


@pytest.fixture
def site() -> Site:
    return Site(now=lambda: NOW)


def connection(site: Site, **settings: Any) -> Connection:
    return Connection(
        settings=WordPressSettings.model_validate({"base_url": BASE_URL, "username": USERNAME, **settings}),
        secrets=WordPressSecrets.model_validate({"application_password": PASSWORD}),
        http=site.client(),
        now=lambda: NOW,
        base_url="http://127.0.0.1:8000",
    )


async def connected(site: Site, **settings: Any) -> WordPress:
    """The channel as the service builds it once `connect` has told it who we are."""
    known = connection(site, **settings)
    profile = await WordPress(known).connect()
    return WordPress(replace(known, remote_id=profile.remote_id, facts=profile.facts))


async def pulled(channel: WordPress, cursor: str | None = None, *, days: float = 3) -> list[PostPage]:
    return [page async for page in channel.pull(cursor=cursor, since=NOW - timedelta(days=days))]


def posts_of(pages: list[PostPage]) -> list[Post]:
    return [post for page in pages for post in page.posts]


def reply_to(post: Post, text: str = TEXT) -> Outgoing:
    return Outgoing(
        text=text,
        post=post,
        key="key-1",
        visibility="public",
        language="en",
        content_warning="",
        created_at=NOW,
    )


async def complaint(channel: WordPress, site: Site) -> Post:
    said = site.comment("export crashes on Safari", author=31)
    return await channel.find(f"{BASE_URL}/article-12/#comment-{said.id}")


# --- settings


@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        ("https://blog.example", "https://blog.example"),
        ("  Blog.Example/ ", "https://blog.example"),
        ("https://acme.example/blog/", "https://acme.example/blog"),
        ("https://blog.example/wp-json/wp/v2/comments?x=1#y", "https://blog.example"),
        ("https://acme.example/blog/wp-admin/profile.php", "https://acme.example/blog"),
        ("https://blog.example/wp-login.php", "https://blog.example"),
        ("http://127.0.0.1:4000/", "http://127.0.0.1:4000"),
        ("http://wordpress:8080", "http://wordpress:8080"),
    ],
)
def test_keeps_the_sites_own_address(entered: str, kept: str) -> None:
    assert WordPressSettings(base_url=entered, username="acme").base_url == kept


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ("", "not a web address"),
        ("ftp://blog.example", "not a web address"),
        ("https://me:sentinel@blog.example", "the site alone"),
        ("http://blog.example", "use https"),
        ("http://169.254.169.254/latest", "may be connected to"),
    ],
)
def test_refuses_an_address_in_words_for_a_person(entered: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        WordPressSettings(base_url=entered, username="acme")


@pytest.mark.parametrize("entered", ["", "  ", "a:b", "a\nb"])
def test_refuses_what_is_no_user_name(entered: str) -> None:
    with pytest.raises(ValidationError):
        WordPressSettings(base_url=BASE_URL, username=entered)


@pytest.mark.parametrize("entered", ["", "   ", "sentinel\nHost: x", "sentinel-ä"])
def test_refuses_what_is_no_application_password_without_repeating_it(entered: str) -> None:
    with pytest.raises(ValidationError) as refused:
        WordPressSecrets.model_validate({"application_password": entered})
    assert "not an application password" in str(refused.value)
    assert "sentinel" not in str(refused.value)


async def test_the_sites_words_never_carry_the_password_into_an_error(site: Site) -> None:
    seen = f"{PASSWORD} YWNtZTphYmNkIGVmZ2ggaWprbCBtbm9wIHFyc3QgdXZ3eA=="
    site.answers["users/me"] = httpx.Response(403, json={"code": "x", "message": seen})
    with pytest.raises(OutsideError) as raised:
        await WordPress(connection(site)).connect()
    assert PASSWORD not in repr(raised.value)
    assert "YWNtZTph" not in repr(raised.value)


# --- parsing

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
FIELDS = (
    "id",
    "post",
    "parent",
    "author",
    "author_name",
    "author_url",
    "date_gmt",
    "content",
    "link",
    "status",
    "type",
)


@given(broken=st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=5))
def test_a_malformed_comment_is_a_post_or_a_value_error(broken: dict[str, Any]) -> None:
    whole = {"id": 1, "post": 12, "date_gmt": "2026-11-20T07:49:01", "content": {"raw": "x"}, "status": "approved"}
    try:
        post = parse_comment({**whole, **broken}, site=Home(BASE_URL))
    except ValueError:
        return
    assert post.external_id
    assert post.author.external_id
    assert post.author.handle
    assert post.url.startswith("http")
    assert post.created_at.utcoffset() == timedelta(0)
    assert isinstance(json.loads(post.raw), dict)
    f"{post.text}{post.author.handle}{post.author.url}".encode()


@given(text=st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00\r\xa0"), max_size=200))
def test_a_text_becomes_html_that_reads_as_the_text(text: str) -> None:
    assert plain_text(as_html(text)).split() == text.split()


def test_a_site_that_moved_to_https_or_dropped_its_www_keeps_its_posts() -> None:
    homes = ("http://blog.example", "https://www.blog.example/", "https://blog.example")
    comment = {"id": 1, "post": 12, "author": 3, "date_gmt": "2026-11-20T07:49:01", "content": {"raw": "x"}}
    posts = [parse_comment(comment, site=Home(home)) for home in homes]
    assert len({(post.canonical_id, post.thread_id, post.author.external_id) for post in posts}) == 1
    assert parse_comment(comment, site=Home("https://blog.example/de")).canonical_id != posts[0].canonical_id


def test_two_guests_of_one_name_are_two_persons(site: Site) -> None:
    shapes = [
        {"id": n, "post": 12, "author": 0, "author_name": "Ana", "date_gmt": "2026-11-20T07:49:01"} for n in (1, 2)
    ]
    authors = [parse_comment(shape, site=Home(BASE_URL)).author for shape in shapes]
    assert all(author.weak for author in authors)
    assert authors[0].external_id != authors[1].external_id


# --- connecting


@pytest.mark.parametrize("pretty", [True, False])
async def test_connects_with_and_without_pretty_permalinks(site: Site, pretty: bool) -> None:
    site.pretty = pretty
    channel = await connected(site)
    post = await complaint(channel, site)
    await channel.send(reply_to(post))
    assert [own.text for own in (await channel.look(post)).own_replies] == [TEXT]


async def test_a_list_that_everybody_may_read_proves_no_password(site: Site) -> None:
    site.sees_us = False
    with pytest.raises(OutsideError, match="Authorization") as raised:
        await WordPress(connection(site)).connect()
    assert raised.value.kind == "auth_broken"


async def test_names_the_role_that_is_missing_and_where_to_grant_it(site: Site) -> None:
    site.role = "author"
    with pytest.raises(OutsideError, match="role author: give it the role Editor under Users") as raised:
        await WordPress(connection(site)).connect()
    assert raised.value.kind == "auth_broken"


async def test_an_ordinary_page_is_asked_without_our_credentials(site: Site) -> None:
    site.pretty = False
    await WordPress(connection(site)).connect()
    assert [r.url.path for r in site.asked if "authorization" not in r.headers] in ([], ["/"])


# --- reading


async def test_reads_ten_thousand_comments_in_order_at_steady_memory(site: Site) -> None:
    start = NOW - timedelta(days=2)
    made = [site.comment(f"number {i} " + "x" * 200, at=start + timedelta(seconds=i)).id for i in range(10_000)]
    channel = await connected(site)
    seen: list[int] = []
    kept: list[int] = []
    async for page in channel.pull(cursor=None, since=NOW - timedelta(days=3)):
        seen += [int(post.external_id) for post in page.posts]
        site.asked.clear()
        if len(seen) % 1000 == 0:
            gc.collect()
            kept.append(sum(isinstance(one, Post) or _is_comment(one) for one in gc.get_objects()))
    assert seen == made
    assert max(kept) <= 400  # the page, and at most the one before: as posts and as JSON
    assert len(kept) >= 10


def _is_comment(one: object) -> bool:
    return type(one) is dict and "author_avatar_urls" in one


async def test_a_poll_that_was_stopped_on_any_page_goes_on_without_a_gap(site: Site) -> None:
    start = NOW - timedelta(days=2)
    made = {str(site.comment(f"number {i}", at=start + timedelta(minutes=i)).id) for i in range(500)}
    channel = await connected(site)
    seen: set[str] = set()
    for page in await pulled(channel):
        seen |= {post.external_id for post in page.posts}
        rest = {post.external_id for post in posts_of(await pulled(channel, page.cursor))}
        assert seen | rest == made


async def test_many_comments_of_one_second_are_all_read(site: Site) -> None:
    made = [str(site.comment(f"number {i}").id) for i in range(350)]
    assert [post.external_id for post in posts_of(await pulled(await connected(site)))] == made


async def test_what_is_deleted_while_pages_are_read_makes_no_gap(site: Site) -> None:
    made = [site.comment(f"number {i}", at=NOW - timedelta(hours=30 - i / 20)) for i in range(300)]
    channel = await connected(site)

    def lose_one(page: int) -> None:
        if page == 2:
            site.comments.pop(made[0].id, None)

    site.before_page = lose_one
    seen = {post.external_id for post in posts_of(await pulled(channel))}
    assert seen >= {str(one.id) for one in made[1:]}


async def test_ends_where_a_proxy_takes_the_counts_away_and_gives_one_page_for_ever(site: Site) -> None:
    channel = await connected(site)
    shape = {"id": 1, "post": 12, "author": 31, "date_gmt": "2026-11-20T11:00:00", "status": "approved"}
    site.answers["comments"] = httpx.Response(200, json=[shape])
    assert {post.external_id for post in posts_of(await pulled(channel))} == {"1"}


async def test_a_comment_dated_in_the_future_does_not_skip_what_is_written_until_then(site: Site) -> None:
    site.comment("from tomorrow", at=NOW + timedelta(hours=20))
    channel = await connected(site)
    cursor = (await pulled(channel))[-1].cursor
    kept = site.comment("export crashes", at=NOW)
    assert str(kept.id) in {post.external_id for post in posts_of(await pulled(channel, cursor))}


async def test_an_hour_that_the_sites_clock_repeats_is_no_gap(site: Site) -> None:
    newest = site.comment("newest")
    channel = await connected(site)
    cursor = (await pulled(channel))[-1].cursor
    late = site.comment("of the same hour, once more", at=newest.at - timedelta(minutes=60))
    assert str(late.id) in {post.external_id for post in posts_of(await pulled(channel, cursor))}


async def test_a_held_comment_is_private_until_it_is_let_through_however_late(site: Site) -> None:
    channel = await connected(site)
    said = site.comment("export crashes", status="hold", at=NOW - timedelta(days=1))
    pages = await pulled(channel)
    assert [post.visibility for post in posts_of(pages)] == ["private"]
    assert await pulled(channel, pages[-1].cursor) == []
    # Long before what was read since: only because it was held is it asked for again.
    site.comment("another")
    pages = await pulled(channel, pages[-1].cursor)
    said.status = "approved"
    pages = await pulled(channel, pages[-1].cursor)
    assert [(post.external_id, post.visibility) for post in pages[0].posts] == [(str(said.id), "public")]
    assert '"held": []' in (pages[-1].cursor or "")


@pytest.mark.parametrize(
    ("article", "reads_articles", "visibility"),
    [
        ({}, True, "public"),
        ({"content": {"protected": True}}, True, "private"),
        ({"status": "private"}, True, "private"),
        ({}, False, "private"),
    ],
)
async def test_an_article_that_we_may_not_edit_holds_up_no_comment(
    site: Site, article: dict[str, object], reads_articles: bool, visibility: str
) -> None:
    site.edits_articles, site.reads_articles = False, reads_articles
    said = site.comment("export crashes", post=site.article(12, **article), author=31)
    channel = await connected(site)
    [post] = posts_of(await pulled(channel))
    assert (post.external_id, post.visibility) == (str(said.id), visibility)
    assert (await channel.look(post)).post.visibility == visibility


async def test_a_flood_of_held_comments_is_followed_as_far_as_it_is_read(site: Site) -> None:
    for number in range(700):
        site.comment(f"number {number}", status="hold", at=NOW - timedelta(hours=10) + timedelta(seconds=number))
    channel = await connected(site)
    pages = await pulled(channel)
    assert len(posts_of(pages)) == 300
    site.asked.clear()
    assert posts_of(await pulled(channel, pages[-1].cursor)) == []
    assert len(site.asked) < 10


async def test_asks_for_no_address_and_keeps_none(site: Site) -> None:
    site.comment("export crashes")
    [post] = posts_of(await pulled(await connected(site)))
    asked = [request.url.params["_fields"] for request in site.asked if request.url.path.endswith("/comments")]
    assert asked
    assert not [fields for fields in asked if "email" in fields or "ip" in fields.split(",") or "avatar" in fields]
    assert "sentinel" not in f"{post}"
    assert "192.0.2.99" not in f"{post}"


# --- who answers whom, where WordPress nests no deeper


def say(site: Site, text: str, *, minutes: int, **more: Any) -> Comment:
    return site.comment(text, at=NOW - timedelta(hours=1) + timedelta(minutes=minutes), **more)


async def answers(site: Site, depth: int) -> dict[str, str | None]:
    return {post.text: post.answers_id for post in posts_of(await pulled(await connected(site, reply_depth=depth)))}


async def test_without_nesting_a_customer_answers_our_newest_reply_to_them(site: Site) -> None:
    first = say(site, "export crashes", minutes=0, author=31)
    other = say(site, "import crashes", minutes=1, author=32)
    say(site, "which version?", minutes=2, parent=first.id, author=ME)
    ours = say(site, "fixed", minutes=3, parent=first.id, author=ME)
    say(site, "fixed too", minutes=4, parent=other.id, author=ME)
    say(site, "works now", minutes=5, author=31)
    say(site, "nice article", minutes=6, author=33)
    assert await answers(site, 1) == {
        "export crashes": None,
        "import crashes": None,
        "works now": str(ours.id),
        "nice article": None,
    }


async def test_at_the_deepest_level_the_comment_above_stands_for_our_reply(site: Site) -> None:
    top = say(site, "top", minutes=0, author=30)
    second = say(site, "second", minutes=1, parent=top.id, author=32)
    third = say(site, "third", minutes=2, parent=second.id, author=31)
    ours = say(site, "fixed", minutes=3, parent=third.id, author=ME)
    say(site, "works now", minutes=4, parent=second.id, author=31)
    assert (await answers(site, 3))["works now"] == str(ours.id)
    assert (await answers(site, 5))["works now"] == str(second.id)


async def test_an_answer_that_hangs_on_ours_needs_no_guess(site: Site) -> None:
    first = say(site, "export crashes", minutes=0, author=31)
    ours = say(site, "fixed", minutes=1, parent=first.id, author=ME)
    say(site, "works now", minutes=2, parent=ours.id, author=31)
    assert (await answers(site, 5))["works now"] == str(ours.id)


# --- speaking


@pytest.mark.parametrize(
    ("effect", "accepts", "in_flight"),
    [
        ("lost", True, True),
        ("lost", False, True),
        ("cut", True, False),
        ("fatal", True, False),
        ("fatal", False, False),
        ("gateway", True, True),
        ("unavailable", True, True),
        ("unavailable", False, True),
    ],
)
async def test_a_lost_answer_is_unknown_and_our_comments_under_the_parent_tell(
    site: Site, effect: Effect, accepts: bool, in_flight: bool
) -> None:
    channel = await connected(site)
    post = await complaint(channel, site)
    site.fault(effect, accepts=accepts)
    with pytest.raises(OutsideError) as raised:
        await channel.send(reply_to(post))
    assert (raised.value.kind, raised.value.in_flight) == ("unknown", in_flight)
    look = await channel.look(post)
    assert look.authoritative
    assert len(look.own_replies) == len(site.ledger) == accepts


async def test_a_comment_that_is_made_after_we_gave_up_is_found_and_not_made_again(site: Site) -> None:
    channel = await connected(site)
    post = await complaint(channel, site)
    site.fault("late")
    with pytest.raises(OutsideError) as raised:
        await channel.send(reply_to(post))
    assert (raised.value.kind, raised.value.in_flight) == ("unknown", True)
    assert (await channel.look(post)).own_replies == ()
    site.arrive()
    [found] = (await channel.look(post)).own_replies
    assert (await channel.send(reply_to(post))).external_id == found.external_id
    assert len(site.ledger) == 1


async def test_no_connection_means_that_nothing_was_said(site: Site) -> None:
    channel = await connected(site)
    post = await complaint(channel, site)
    site.fault("refused")
    with pytest.raises(OutsideError) as raised:
        await channel.send(reply_to(post))
    assert raised.value.kind == "transient"
    await channel.send(reply_to(post))
    assert len(site.ledger) == 1


async def test_a_reply_under_another_comment_or_of_somebody_else_is_not_ours(site: Site) -> None:
    channel = await connected(site)
    post, other = await complaint(channel, site), await complaint(channel, site)
    await channel.send(reply_to(other))
    site.comment(TEXT, parent=int(post.external_id), author=32, author_name="Acme")
    assert (await channel.look(post)).own_replies == ()
    with pytest.raises(OutsideError, match="no such comment of ours") as raised:
        await channel.send(reply_to(post))
    assert raised.value.kind == "forbidden"


async def test_more_replies_of_ours_than_a_page_holds_are_all_seen(site: Site) -> None:
    channel = await connected(site)
    post = await complaint(channel, site)
    site.per_page = 10
    for number in range(25):
        site.comment(f"we say {number}", parent=int(post.external_id), author=ME)
    assert len((await channel.look(post)).own_replies) == 25


async def test_moderation_flood_and_closing_are_told_apart(site: Site) -> None:
    channel = await connected(site)
    post = await complaint(channel, site)
    site.flooded = 1
    with pytest.raises(OutsideError) as flooded:
        await channel.send(reply_to(post))
    assert (flooded.value.kind, flooded.value.retry_at) == ("transient", NOW + timedelta(seconds=60))
    site.moderates = True
    assert not (await channel.send(reply_to(post))).visible
    assert [own.visible for own in (await channel.look(post)).own_replies] == [False]
    site.articles[12]["comment_status"] = "closed"
    assert (await channel.look(post)).post.locked
    with pytest.raises(OutsideError, match="closed") as closed:
        await channel.send(reply_to(post, "another"))
    assert closed.value.kind == "forbidden"


@pytest.mark.parametrize("status", ["trash", "spam", ""])
async def test_a_parent_that_is_gone_hears_nothing_though_wordpress_would_take_it(site: Site, status: str) -> None:
    channel = await connected(site)
    post = await complaint(channel, site)
    if status:
        site.comments[int(post.external_id)].status = status
    else:
        del site.comments[int(post.external_id)]
    for call in (channel.look(post), channel.send(reply_to(post))):
        with pytest.raises(OutsideError) as raised:
            await call
        assert raised.value.kind == "gone"
    assert site.ledger == []


async def test_nothing_can_be_proven_absent_by_who_does_not_know_itself(site: Site) -> None:
    site.comment("export crashes", author=31)
    channel = await connected(site)
    [post] = posts_of(await pulled(channel))
    assert not (await WordPress(connection(site)).look(post)).authoritative
