"""How pages are drawn: templates, times, numbers and the ring."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from app.rules.characters import clusters, one_line, shorten

TEMPLATES = Path(__file__).with_name("templates")
STATIC = Path(__file__).with_name("static")

HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Not `no-referrer`: a browser would then call the origin of our own forms 'null'.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def static_url(name: str) -> str:
    """A static file's address below the prefix; it changes with the file, so that no browser keeps an old one."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def moment(at: datetime | None) -> Markup:
    """A point in time; the script puts it into the reader's own zone."""
    if at is None:
        return Markup("–")
    return Markup(f'<time datetime="{_stamp(at)}" data-moment>{_written(at)}</time>')  # noqa: S704  (nothing but digits)


def ago(at: datetime | None, now: datetime) -> Markup:
    """How long ago, or in how long, as short as it can be said."""
    if at is None:
        return Markup("–")
    return Markup(  # noqa: S704  (digits and words of ours; a list has one a row)
        f'<time datetime="{_stamp(at)}" title="{_written(at)}" data-ago>{_distance(at, now)}</time>'
    )


def after(at: datetime | None, before: datetime | None) -> str:
    """How long one step took after another: `+ 2 d 4 h`."""
    if at is None or before is None:
        return "–"
    return f"+ {span(at - before)}"


def span(delta: timedelta) -> str:
    """A length of time in its two largest units."""
    seconds = max(int(delta.total_seconds()), 0)
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h" if hours and days < 14 else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat("T", "seconds").removesuffix("+00:00") + "Z"


def _written(at: datetime) -> str:
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M} UTC"


def _distance(at: datetime, now: datetime) -> str:
    delta = now - at
    if delta < timedelta(0):
        return "now" if -delta < timedelta(minutes=1) else f"in {_rough(-delta)}"
    return "now" if delta < timedelta(minutes=1) else _rough(delta)


def _rough(delta: timedelta) -> str:
    minutes = int(delta.total_seconds() // 60)
    if minutes < 60:
        return f"{max(minutes, 1)} min"
    return f"{minutes // 60} h" if minutes < 60 * 24 else f"{minutes // (60 * 24)} d"


def plural(count: int, one: str, many: str = "") -> str:
    """`1 person`, `12 people`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def capped(count: int, most: int = 999) -> str:
    """A number beside a menu."""
    return f"{most}+" if count > most else str(count)


def reach(followers: int) -> str:
    """A number of followers, as one says it."""
    if followers < 1000:
        return str(followers)
    return f"{followers / 1000:.1f} k" if followers < 10_000 else f"{followers // 1000:,} k"


def initial(name: str) -> str:
    """What stands in for a face."""
    parts = clusters(one_line(name).lstrip("@"))
    return parts[0].upper() if parts else "?"


def headline(text: str, limit: int = 120) -> str:
    """A text on one line."""
    return shorten(one_line(text), limit)


def capitalize_first(text: str) -> str:
    """A reason as the beginning of a sentence, without its full stop. A name such as `v1.2.3` stays as it is written."""
    first = text.split(" ", 1)[0].rstrip(",;:.")
    plain = first.isalpha() and first.islower()
    return (text[:1].upper() + text[1:] if plain else text).rstrip(".")


class HasStatus(Protocol):
    """A step of a loop, as far as the ring shows it."""

    @property
    def status(self) -> str:
        """`done`, `now`, `back` or nothing."""
        ...


def ring(steps: Sequence[HasStatus] | None = None, size: str = "", label: str = "") -> Markup:
    """The product's sign: a loop's seven steps. Without a loop, the circle closed; without a label, decoration."""
    return _ring(tuple(step.status for step in steps) if steps is not None else ("done",) * 7, size, label)


@functools.lru_cache(maxsize=512)
def _ring(statuses: tuple[str, ...], size: str, label: str) -> Markup:
    """There are few different ones, and a list has one a row."""
    told = Markup('role="img" aria-label="{0}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="ring {0}" viewBox="0 0 36 36" {1}>{2}</svg>').format(size, told, _segments(statuses))


def _segments(statuses: tuple[str, ...]) -> Markup:
    segment = Markup('<circle class="{0}" cx="18" cy="18" r="15" pathLength="100" stroke-dashoffset="-{1}"/>')
    return Markup("").join(segment.format(status, f"{at * 100 / 7:.2f}") for at, status in enumerate(statuses))


def fact(value: object) -> Markup | str:
    """A figure that a network gave us about itself; a time in it is told as one."""
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            return value
        return moment(at if at.tzinfo is not None else at.replace(tzinfo=UTC))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def dollars(usd: Decimal) -> str:
    """A sum of US dollars: to the cent, and further only where it goes further."""
    whole, _, rest = f"{usd:f}".partition(".")
    return f"${whole}.{rest.rstrip('0').ljust(2, '0')}"


def host(url: str) -> str:
    """The host of an address, for a link that leaves us."""
    return url.split("://", 1)[-1].split("/", 1)[0]


def web_link(url: str | None) -> str:
    """An address that may stand in a link: of the web, or nothing."""
    return url if url and url.lower().startswith(("http://", "https://")) else ""


def linked(text: str) -> Markup:
    """A reason of ours with the web address at its end as a link."""
    words, found, rest = text.partition("http")
    address = web_link(found + rest)
    if not address:
        return escape(text)
    link = Markup(
        '{0}<a href="{1}" target="_blank" rel="noopener noreferrer">{2} <span aria-hidden="true">↗</span>'
        '<span class="unseen"> (new window)</span></a>'
    )
    return link.format(words, address, host(address))


@functools.cache
def _make() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        moment=moment,
        ago=ago,
        plural=plural,
        capped=capped,
        reach=reach,
        initial=initial,
        dollars=dollars,
        fact=fact,
        headline=headline,
        capitalize_first=capitalize_first,
        host=host,
        linked=linked,
        web_link=web_link,
    )
    environment.globals.update(
        style=static_url("app.css"),
        script=static_url("app.js"),
        icon=static_url("ring.svg"),
        span=span,
        after=after,
        ring=ring,
    )
    return environment


def render(template: str, **context: Any) -> str:
    """One page."""
    return _make().get_template(template).render(**context)
