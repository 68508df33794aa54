"""Web addresses as people paste them: which are one, and how two of them are known to be the same post's."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

LONGEST = 2000

_FOLLOWS_READERS = re.compile(r"utm_\w+|fbclid|gclid|dclid|msclkid|mc_[ce]id|igshid?|si|ref|ref_src|ref_url|s|share_id")
"""What share buttons and newsletters add to an address; it names nothing there."""


def web_address(text: str) -> str:
    """The address somebody pasted, without the space around it. ValueError says to them what is wrong with it."""
    address = text.strip()
    try:
        parts = urlsplit(address)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        parts, is_one = urlsplit(""), False
    if not is_one or re.search(r"[\s\x00-\x1f\x7f]", address):
        raise ValueError("this is not a web address; paste the post's own, like https://forum.example/t/123")
    if parts.username is not None or parts.password is not None:
        raise ValueError("this address holds a name or password before the host; paste it without")
    if len(address) > LONGEST:
        raise ValueError(f"this address has {len(address)} characters; at most {LONGEST} are taken")
    return address


def without_marks(address: str) -> str:
    """The address without what share buttons added to it; one that bears none is left as it is."""
    parts = urlsplit(address)
    kept = _that_name_something(parts.query)
    is_bare = len(kept) == len(parse_qsl(parts.query, keep_blank_values=True))
    return address if is_bare else urlunsplit(parts._replace(query=urlencode(kept)))


def _that_name_something(query: str) -> list[tuple[str, str]]:
    """An address' parameters without share marks."""
    return [pair for pair in parse_qsl(query, keep_blank_values=True) if not _FOLLOWS_READERS.fullmatch(pair[0])]


def spellings(address: str) -> list[str]:
    """How the address of one post is written as well: with and without share marks, `www.`, a slash at its end, TLS."""
    found: dict[str, None] = {}
    for bare in (address, without_marks(address)):
        parts = urlsplit(bare)
        host = parts.netloc.lower().removeprefix("www.")
        paths = (parts.path, parts.path.rstrip("/"), parts.path.rstrip("/") + "/")
        for scheme in (parts.scheme, *({"http", "https"} - {parts.scheme})):
            for netloc in (parts.netloc, host, f"www.{host}"):
                found |= {urlunsplit(parts._replace(scheme=scheme, netloc=netloc, path=path)): None for path in paths}
    return [address, *(one for one in found if one != address)]


def same_place(address: str) -> str:
    """A text that is equal for addresses of one post, however they were copied: no scheme, no `www.`, no share marks."""
    try:
        parts = urlsplit(address.strip())
        host, port = (parts.hostname or "").removeprefix("www."), parts.port
    except ValueError:
        return address.strip()
    query = _that_name_something(parts.query)
    return (
        host
        + (f":{port}" if port not in {None, 80, 443} else "")
        + parts.path.rstrip("/")
        + (f"?{urlencode(sorted(query))}" if query else "")
        + (f"#{parts.fragment}" if parts.fragment else "")
    )


def name_of_place(text: str) -> str:
    """A short name for a place that people call by a free word: small letters, digits and hyphens; may be empty."""
    return re.sub(r"[\W_]+", "-", text.casefold()).strip("-")[:50].strip("-")
