import html
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.rules.characters import clusters, graphemes, one_line, shorten, tidy
from app.rules.quoting import headline, neutralise, same_text

OURS = "Hi Zoë, it’s fixed in v2.4.1 — see https://acme.example/new?a=1&b=2. Does it work?\n\nThank you!"


# --- our own reply, read back ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "theirs",
    [
        OURS,
        "@ana " + OURS,
        "@ana@m.example " + OURS,
        "@ana @bob@127.0.0.1:3000\n" + OURS,
        OURS.replace("https://acme.example/new?a=1&b=2.", "https://t.co/Abc123."),
        OURS.replace("&", "&amp;"),
        OURS.replace("’", "&#8217;"),
        OURS.replace("\n\n", " "),
        OURS.replace(" ", "\u00a0", 3) + "\n",
        OURS.replace("’", "'").replace("—", "--"),
        unicodedata.normalize("NFD", OURS),
        OURS.replace("fixed", "fi\u200bxed"),
    ],
)
def test_our_reply_is_known_again_after_what_networks_do_to_it(theirs):
    assert same_text(OURS, theirs)
    assert same_text(theirs, OURS)


@pytest.mark.parametrize(
    "theirs",
    [
        "",
        OURS.replace("v2.4.1", "v2.4.2"),
        OURS.replace("Does it work?", "Does it work"),
        OURS.replace("Zoë", "zoë"),
        OURS.replace("see https://acme.example/new?a=1&b=2.", "see our page."),
        OURS + " Regards",
        "RE: " + OURS,
    ],
)
def test_another_text_is_not_taken_for_ours(theirs):
    assert not same_text(OURS, theirs)


def test_a_bare_name_that_x_turns_into_a_link_is_known_again():
    assert same_text("Fixed in setup.py, thanks", "Fixed in https://t.co/x, thanks")
    assert same_text("修正: setup.pyを更新", "修正: https://t.co/xを更新")


def test_a_mention_inside_is_known_again_without_its_server():
    assert same_text("Thanks to @bob@m.example too", "@ana Thanks to @bob too")


def test_a_mail_address_is_no_mention():
    assert not same_text("write to help@acme.example", "write to help")


@given(st.text(), st.sampled_from(["", "@ana ", "@ana@m.example "]))
def test_every_text_is_the_same_as_itself_behind_a_mention(text, prefix):
    assert same_text(text, prefix + text)


# --- a customer's words on a ticket ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The export crashes.", "The export crashes."),
        ("hey @alice", "hey @\u200balice"),
        ("@acme/backend-team now", "@\u200bacme/backend-team now"),
        ("see #12 and acme/app#3", "see #\u200b12 and acme/app#\u200b3"),
        ("GH-7 gh-8", "GH-\u200b7 gh-\u200b8"),
        ("https://github.com/acme/app/issues/5", "github.com/acme/app/issues/5"),
        ("HTTPS://x.example", "x.example"),
        ("hthttps://tps://x.example", "https:\u200b//x.example"),
        ("ftp://x.example www.x.example", "ftp:\u200b//x.example www\u200b.x.example"),
        ("<img src=x onerror=y>", "&lt;img src=x onerror=y&gt;"),
        ("<!-- fullcircle:loop=1 -->", "&lt;!-- fullcircle:loop=1 --&gt;"),
        ("&#64;alice &lt;b&gt;", "&amp;#\u200b64;alice &amp;lt;b&amp;gt;"),
        ("![x](https://e.example/x.png)", "!\\[x\\]\\(e.example/x.png)"),
        ("[!NOTE] hi", "\\[!NOTE\\] hi"),
        ("```sh\nrm -rf /\n```", "\\`\\`\\`sh rm -rf / \\`\\`\\`"),
        ("/close", "\\/close"),
        ("hello\n/close\n/assign @me", "hello /close /assign @\u200bme"),
        ("# big", "#\u200b big"),
        ("- one", "\\- one"),
        ("1. one", "1\\. one"),
        ("2) two", "2\\) two"),
        ("=====", "\\====="),
        ("> quoted", "&gt; quoted"),
        ("__init__ *.csv a|b ~~x~~", "\\_\\_init\\_\\_ \\*.csv a\\|b \\~\\~x\\~\\~"),
        ("C:\\temp\\@x", "C:\\\\temp\\\\@\u200bx"),
        ("costs $5, !3 &4", "costs \\$\u200b5, !\u200b3 &amp;\u200b4"),
        ("key #️⃣ cap", "key #️⃣ cap"),
        ("a\u202eb\x07c\u200b@d\U000e0041", "abc@\u200bd"),
        ("  two\n\n lines\u2028here ", "two lines here"),
        ("", ""),
    ],
)
def test_a_quote_reads_as_written_and_does_nothing(said, shown):
    assert neutralise(said) == shown


def test_a_long_quote_ends_with_a_whole_word_within_the_limit():
    quote = neutralise("the export crashes every single time I try " * 20, limit=50)
    assert quote == "the export crashes every single time I try the…"


def test_the_limit_counts_what_is_read_and_not_the_escapes():
    assert neutralise("<" * 10, limit=10) == "&lt;" * 10
    assert neutralise("👨‍👩‍👧‍👦" * 11, limit=10) == "👨‍👩‍👧‍👦" * 9 + "…"


def test_a_title_is_plain_text_that_calls_nobody():
    assert headline("<b>my_file.csv</b>\n@alice see https://x.example/#12") == (
        "<b>my_file.csv</b> @\u200balice see x.example/#\u200b12"
    )
    assert headline("the export crashes " * 10, limit=30) == "the export crashes the export…"


HOSTILE = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *(
                    "@",
                    "#",
                    "<",
                    ">",
                    "&",
                    "!",
                    "[",
                    "](",
                    "(",
                    ")",
                    "`",
                    "```",
                    "~~~",
                    "\\",
                    "/",
                    "$",
                    "%",
                    "://",
                    ":",
                    "-",
                ),
                *(
                    "http",
                    "https://",
                    "www.",
                    "github.com/a/b/issues/1",
                    "GH-",
                    "gh-",
                    "<!--",
                    "-->",
                    "\n",
                    "\r",
                    "\u2028",
                    " ",
                ),
                *(
                    "/close",
                    "12",
                    "alice",
                    "\u200b",
                    "\u200d",
                    "\u200c",
                    "\ufe0f",
                    "\u0301",
                    "&#64;",
                    "&commat;",
                    "1.",
                    "|",
                    "*",
                ),
            ]
        ),
        st.text(max_size=4),
    ),
    max_size=40,
).map("".join)


@given(HOSTILE)
def test_nothing_active_survives_in_a_quote(said):
    quote = neutralise(said)
    assert not re.search(r"@\w|#\d|[gG][hH]-\d|[!$%~]\d", quote)
    assert not re.search(r"[<>]|://|www\.", quote, re.IGNORECASE)
    assert "](" not in quote
    assert not re.search(r"&(?!amp;|lt;|gt;)", quote)
    assert not re.search(r"[`*_\[\]|~\\]", re.sub(r"\\.", "", quote))
    assert not re.search(r"^(?:[-+=/#>]\s|[-+=/]|\d+[.)])", quote)
    assert len(quote.splitlines()) <= 1
    assert quote == quote.strip()


@given(HOSTILE, st.integers(1, 60))
def test_a_quote_never_shows_more_than_its_limit(said, limit):
    seen = neutralise(said, limit=limit)
    for escape, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        seen = seen.replace(escape, character)
    seen = re.sub(r"\\([\\`*_\[\]~|$(.)=+/-])", r"\1", seen).replace("\u200b", "")
    assert graphemes(seen) <= limit


@given(HOSTILE)
def test_a_markdown_renderer_shows_the_quote_as_plain_text(said):
    page = MarkdownIt("js-default").render("> " + neutralise(said))
    quoted = re.fullmatch(r"<blockquote>\n?(?:<p>([^<]*)</p>\n)?</blockquote>\n", page)
    assert quoted, page
    read = html.unescape(quoted[1] or "").replace("\u200b", "")
    assert read == shorten(one_line(re.sub(r"(?i)https?://", "", said)), 280)


# --- characters -----------------------------------------------------------------------------------


@given(st.text())
def test_tidying_twice_is_tidying_once(text):
    assert tidy(tidy(text)) == tidy(text)
    assert one_line(one_line(text)) == one_line(text)


@given(st.text(), st.integers(1, 30))
def test_a_shortened_text_keeps_whole_characters(text, limit):
    short = shorten(text, limit)
    assert graphemes(short) <= limit
    assert short == text or text.startswith("".join(clusters(short.removesuffix("…"))))


@given(st.text(st.characters(max_codepoint=127)))
@example("Export  hangs \r\n since\tmonday")
def test_plain_english_takes_a_shorter_way_to_the_same_end(text):
    # One letter of another script sends the whole text the long way.
    assert [*clusters(text), "한"] == clusters(text + "한")
    assert one_line(f"x{text}x")[1:-1] == one_line(f"한{text}한")[1:-1]


def test_words_that_need_invisible_characters_keep_them():
    assert one_line("می\u200cخواهم 👩‍🚒") == "می\u200cخواهم 👩‍🚒"
    assert tidy("ខ្ញុំ\u200bស្រឡាញ់") == "ខ្ញុំ\u200bស្រឡាញ់"
    assert tidy("prêt\u00a0?") == "prêt\u00a0?"
