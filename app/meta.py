"""Meta's Graph API, as far as its channels have it in common: calls, refusals, limits and webhooks.

Obeys https://developers.facebook.com/docs/graph-api/guides/error-handling/ and …/overview/rate-limiting/.
Nothing here knows what a comment is: that is each channel's own. Only channels may import it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx

from app.http import after_saying, ask, json_of, retry_at
from app.ports import BadSignatureError, Hook, OutsideError
from app.rules.plaintext import storable
from app.rules.told import objects, parsed, word

JSON = Mapping[str, Any]

ROOM = 80
"""Percent of a limit at which polling pauses: what is left is for looking and speaking."""

PAUSE = timedelta(minutes=15)
"""How long a full limit is left alone where Meta does not tell; its windows roll over an hour or a day."""

THROTTLES = frozenset({4, 17, 32, 341, 613, *range(80000, 80015)})
SIGN_IN_AGAIN: dict[int, str] = {
    458: "the app was removed from the person's account",
    459: "the person must first sign in at facebook.com and pass a check there",
    460: "the person changed the password",
    463: "the token has expired",
    464: "the person must first confirm the account at facebook.com",
    467: "the token was withdrawn",
}
"""Subcodes of 190: why a token is refused."""


# --- Meta's words into ours. No network is needed from here to the calls. -------------------------


def inner(value: object, name: str) -> dict[str, Any]:
    """An object within an object, empty where there is none."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def next_page(edge: JSON) -> dict[str, str]:
    """What asks for the page after this one, empty after the last.

    `next` is a whole address with the access token in it: only where to go on is taken from it.
    """
    try:
        address = httpx.URL(word(inner(edge, "paging").get("next")))
    except httpx.InvalidURL:
        return {}
    return {name: address.params[name] for name in ("after", "until", "__paging_token") if name in address.params}


def usage_of(answer: httpx.Response) -> dict[str, int]:
    """How full each limit is, in percent, and in how many minutes a full one opens (`minutes_until_open`).

    X-App-Usage and X-Page-Usage are one object each; X-Business-Use-Case-Usage holds a list for each business.
    """
    found: dict[str, int] = {}
    for limit in ("app_usage", "page_usage", "business_use_case_usage"):
        told = parsed(answer.headers.get(f"x-{limit.replace('_', '-')}", ""))
        lists = [objects(value) for value in told.values()] if isinstance(told, dict) else []
        parts = [one for several in lists for one in several] or ([told] if isinstance(told, dict) else [])
        for part in parts:
            fullest = max(_amount(part.get(name)) for name in ("call_count", "total_cputime", "total_time"))
            found[limit] = max(found.get(limit, 0), fullest)
            found["minutes_until_open"] = max(
                found.get("minutes_until_open", 0), _amount(part.get("estimated_time_to_regain_access"))
            )
    return found


def _amount(value: object) -> int:
    return min(max(int(value), 0), 100_000) if isinstance(value, int | float) and abs(value) < 1e9 else 0


def code_of(answer: httpx.Response) -> tuple[int, int]:
    """Meta's code and subcode of a refusal; zeros where the answer is none of Meta's."""
    error = inner(parsed(answer.content), "error")
    return _amount(error.get("code")), _amount(error.get("error_subcode"))


def _is_passing(answer: httpx.Response) -> bool:
    """Whether Meta itself calls it a trouble that passes."""
    return inner(parsed(answer.content), "error").get("is_transient") is True


def is_refusal(answer: httpx.Response) -> bool:
    """Whether the answer refuses; the body counts too, whatever the status says."""
    return not answer.is_success or code_of(answer)[0] > 0


def receive(
    *,
    method: str,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    body: bytes,
    app_secret: str,
    verify_token: str,
) -> Hook:
    """The handshake, or a call signed over its raw bytes: https://developers.facebook.com/docs/graph-api/webhooks/getting-started."""
    if method == "GET":
        return _handshake(query, verify_token)
    if not app_secret:
        raise BadSignatureError("no app secret is set for this account, so that no call can be proven")
    told = {name.lower(): value for name, value in headers.items()}.get("x-hub-signature-256", "")
    if not told:
        raise BadSignatureError("the call has no X-Hub-Signature-256")
    expected = "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(told.encode("utf-8", "replace"), expected.encode()):
        raise BadSignatureError("X-Hub-Signature-256 does not fit: the app secret here is not the app's")
    call = json.loads(body)
    if not isinstance(call, dict):
        raise ValueError("the signed body is no JSON object")  # noqa: TRY004  (what the door answers with 400)
    # Meta has no id for a call; one that is delivered again is the same to the byte.
    return Hook(key=hashlib.sha256(body).hexdigest(), event=_event(call))


def _handshake(query: Mapping[str, str], verify_token: str) -> Hook:
    if query.get("hub.mode") != "subscribe":
        raise BadSignatureError("this is no handshake of Meta's")
    told = query.get("hub.verify_token", "").encode("utf-8", "replace")
    if not verify_token or not hmac.compare_digest(told, verify_token.encode()):
        raise BadSignatureError("the verify token is not the one that is set for this account")
    challenge = query.get("hub.challenge", "")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,200}", challenge):
        raise BadSignatureError("the handshake has no challenge")
    return Hook(key=f"handshake {challenge}", event="handshake", answer=challenge)


def _event(call: JSON) -> str:
    """What happened, as `feed comment add`; the first of several, since each only hints at a look."""
    for entry in objects(call.get("entry")):
        for change in objects(entry.get("changes")):
            value = inner(change, "value")
            told = (word(change.get("field")), word(value.get("item")), word(value.get("verb")))
            return storable(" ".join(part for part in told if part))[:80]
    return storable(word(call.get("object")))[:80]


# ------------------------------------------------------------------------------------------------


class Graph:
    """Calls with one token. It remembers how full the limits are, which any next answer tells again."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base: str,
        token: str,
        app_secret: str,
        account: str,
        now: Callable[[], datetime],
    ) -> None:
        self._http, self._base, self._token, self._now = http, base, token, now
        self._secrets = tuple(secret for secret in (token, app_secret) if secret)
        self._account = account
        self._full_until: datetime | None = None
        self.proof: dict[str, str] = {}
        """Shows that whoever has the token has the app's secret too; useless to whoever has not the token."""
        if app_secret:
            proof = hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
            self.proof = {"appsecret_proof": proof}

    def is_nearly_full(self) -> bool:
        """Whether so much of what Meta allows is used that the rest is kept for looking and speaking."""
        return self._full_until is not None and self._now() < self._full_until

    async def get(self, path: str, *, what: str, **params: str) -> httpx.Response:
        """Read; the token is in a header, never in the address."""
        query = {**params, **self.proof}
        return self._weighed(
            await ask(self._http, "GET", f"{self._base}/{path}", what=what, headers=self._headers(), params=query)
        )

    async def post(self, path: str, *, what: str, writes: bool, **form: str) -> httpx.Response:
        """Write (or, with `writes` false, something that may be done any number of times)."""
        return self._weighed(
            await ask(
                self._http,
                "POST",
                f"{self._base}/{path}".rstrip("/"),
                what=what,
                writes=writes,
                headers=self._headers(),
                data={**form, **self.proof},
            )
        )

    async def read_after(self, path: str, *, what: str, **params: str) -> dict[str, Any]:
        """More about what was said just now; empty where that cannot be had. It is said, whatever becomes of this."""
        try:
            async with after_saying(self._http):
                return self.object_of(await self.get(path, what=what, **params), what=what)
        except (OutsideError, TimeoutError):
            return {}

    def object_of(self, answer: httpx.Response, *, what: str) -> dict[str, Any]:
        """The answer's object. OutsideError for a refusal and for what is no object."""
        if is_refusal(answer):
            raise self.refusal(answer, what=what)
        body = json_of(answer, what=what)
        if not isinstance(body, dict):
            raise OutsideError(f"{what}: the answer is not what the Graph API promises", "transient")
        return body

    def edge_of(self, answer: httpx.Response, *, what: str) -> dict[str, Any]:
        """The answer's object, which must hold a list."""
        body = self.object_of(answer, what=what)
        if not isinstance(body.get("data"), list):
            raise OutsideError(f"{what}: the answer holds no list", "transient")
        return body

    def refusal(self, answer: httpx.Response, *, what: str, writes: bool = False) -> OutsideError:
        """What a refusal means: the table in the channel's page. After a write, what is not definite is `unknown`."""
        status, (code, subcode), said = answer.status_code, code_of(answer), self.said(answer)
        if code in {102, 104, 190} or (status == 401 and not code):
            why = SIGN_IN_AGAIN.get(subcode, said)
            return OutsideError(
                f"Meta refuses the access token of {self._account} ({why}); make a new one, and reconnect the account",
                "auth_broken",
            )
        if code in THROTTLES or status == 429:
            return OutsideError(
                f"{what}: too many requests for now ({said})", "rate_limited", retry_at=self._comes_back(answer)
            )
        if code == 368:
            return OutsideError(
                f"Meta has blocked {self._account} from doing this for a time ({said}); see the Page's Support Inbox "
                "and Page status on Facebook, and write nothing until it is settled",
                "suspended",
            )
        if status >= 500 or status in {408, 409, 425} or code in {1, 2} or _is_passing(answer):
            if writes:
                return OutsideError(f"{what}: {status} ({said})", "unknown", in_flight=status in {409, 502, 504})
            return OutsideError(f"{what}: {status} ({said})", "transient", retry_at=retry_at(answer, self._now()))
        if code in {3, 10} or 200 <= code <= 299 or (status == 403 and not code):
            return OutsideError(f"{what}: not allowed ({said})", "forbidden")
        if (code == 100 and subcode == 33) or code == 803:
            return OutsideError(f"{what}: it is deleted, or hidden from us ({said})", "gone")
        if not code and status in {404, 405, 410}:
            return OutsideError(f"{what}: {status}, and not by Meta's Graph API", "misconfigured")
        return OutsideError(f"{what}: refused with {code or status} ({said})", "invalid")

    def said(self, answer: httpx.Response) -> str:
        """Meta's own words, shortened, never with a secret in them."""
        error = inner(parsed(answer.content), "error")
        told = storable(word(error.get("message")))
        for secret in self._secrets:
            told = told.replace(secret, "…")
        return " ".join(told.split())[:200] or f"Meta answered {answer.status_code}"

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}

    def _weighed(self, answer: httpx.Response) -> httpx.Response:
        usage = usage_of(answer)
        if usage:
            is_full = max((value for name, value in usage.items() if name != "minutes_until_open"), default=0) >= ROOM
            wait = timedelta(minutes=usage.get("minutes_until_open", 0))
            self._full_until = self._now() + min(max(wait, PAUSE), timedelta(days=1)) if is_full or wait else None
        return answer

    def _comes_back(self, answer: httpx.Response) -> datetime:
        """The latest of what Retry-After and the usage headers tell; never more than a day away."""
        now = self._now()
        told = timedelta(minutes=usage_of(answer).get("minutes_until_open", 0)) or PAUSE
        return min(max(retry_at(answer, now) or now, now + told), now + timedelta(days=1))
