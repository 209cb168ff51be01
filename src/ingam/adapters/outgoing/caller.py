"""JSON and form calls to one outside party: bounded in time and size, no redirects, no proxy of the environment.

Only idempotent calls are tried again (at most twice more, jittered), and the time bound holds over all tries. What is
raised names the cause and never a value: addresses and bodies hold personal data (security H1).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Mapping
from types import TracebackType
from typing import Any, Final, NamedTuple, TypeAlias

import httpx2
import msgspec

from ingam.adapters.outgoing.breaker import Breaker, Event
from ingam.kernel.errors import Outage

ANSWER_S: Final = 5.0
"""Seconds for the whole answer, all tries together."""

LONGEST_ANSWER: Final = 262_144
"""Bytes of an answer that are read."""

RETRIES: Final = 2
FIRST_PAUSE_S: Final = 0.2
_GOOD: Final = range(200, 300)
_PLAIN: Final = {"accept-encoding": "identity", "accept": "application/json"}
"""Nothing compressed: the bound on an answer is on what arrives and on what is parsed."""

Body: TypeAlias = Mapping[str, Any]
Fields: TypeAlias = Mapping[str, str]


class Answer(NamedTuple):
    """An HTTP status and the JSON object that came with it."""

    status: int
    body: dict[str, Any]


class _TryError(Exception):
    """One try. `again`: the party may answer the same call a moment later."""

    def __init__(self, cause: str, status: int = 0, *, again: bool = False, spoke: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.status = status
        self.again = again
        self.spoke = spoke


class Caller:
    """Calls one party at `base_url`; every failure is raised as `outage` with `cause` and, where it spoke, `status`.

    Causes: `timeout`, `status`, `answer-too-long`, `answer-malformed`, `request-malformed`, `breaker-open`, or the name
    of a transport error. `headers` go with every call. A 4xx other than 408 and 429 is no outage to the breaker.
    """

    def __init__(
        self,
        base_url: str,
        *,
        outage: type[Outage],
        headers: Fields | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        answer_s: float = ANSWER_S,
        longest: int = LONGEST_ANSWER,
        breaker: Breaker | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._outage = outage
        self._answer_s = answer_s
        self._longest = longest
        self._breaker = breaker or Breaker()
        self._sleep = sleep
        self._jitter = jitter
        self._client = httpx2.AsyncClient(
            transport=transport, headers={**_PLAIN, **(headers or {})}, timeout=answer_s, follow_redirects=False,
            trust_env=False,
        )  # fmt: skip

    async def json(
        self,
        method: str,
        path: str,
        *,
        body: Body | None = None,
        form: Fields | None = None,
        query: Fields | None = None,
        headers: Fields | None = None,
        idempotent: bool,
    ) -> dict[str, Any]:
        """The JSON object of a 2xx answer; `path` begins with `/` and is encoded already. Raises the outage."""
        answer = await self.answer(
            method, path, body=body, form=form, query=query, headers=headers, idempotent=idempotent
        )
        return answer.body

    async def answer(
        self,
        method: str,
        path: str,
        *,
        body: Body | None = None,
        form: Fields | None = None,
        query: Fields | None = None,
        headers: Fields | None = None,
        idempotent: bool,
        also: Collection[int] = (),
    ) -> Answer:
        """As `json`, for parties that refuse by a status: those in `also` are answers too. Raises the outage."""
        request = self._request(method, path, body, form, query, headers)
        given = self._breaker.admit()
        if given is None:
            raise self._outage(cause="breaker-open")
        event = Event.GAVE_UP
        try:
            answer = await self._within(request, also, RETRIES if idempotent else 0)
            event = Event.ANSWERED
        except _TryError as failed:
            event = Event.ANSWERED if failed.spoke else Event.OUTAGE
            raise self._told(failed) from None
        finally:
            self._breaker.settle(given, event)
        return answer

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def __aenter__(self) -> Caller:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _request(
        self, method: str, path: str, body: Body | None, form: Fields | None, query: Fields | None, more: Fields | None
    ) -> httpx2.Request:
        try:
            return self._client.build_request(
                method, self._base + path, json=body, data=form, params=query, headers=more
            )
        except httpx2.InvalidURL:
            raise self._outage(cause="request-malformed") from None

    async def _within(self, request: httpx2.Request, also: Collection[int], retries: int) -> Answer:
        try:
            async with asyncio.timeout(self._answer_s):
                return await self._tried(request, also, retries)
        except TimeoutError:
            raise _TryError("timeout") from None

    async def _tried(self, request: httpx2.Request, also: Collection[int], retries: int) -> Answer:
        for number in range(retries):
            try:
                return await self._once(request, also)
            except _TryError as failed:
                if not failed.again:
                    raise
            await self._sleep(FIRST_PAUSE_S * 2**number * (0.5 + self._jitter()))
        return await self._once(request, also)

    async def _once(self, request: httpx2.Request, also: Collection[int]) -> Answer:
        try:
            response = await self._client.send(request, stream=True)
            try:
                return Answer(response.status_code, _parsed(await self._bounded(response, also)))
            finally:
                await response.aclose()
        except httpx2.TimeoutException:
            raise _TryError("timeout") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            # Only the kind: the error holds the request, and the request holds the person.
            raise _TryError(type(error).__name__, again=True) from None

    async def _bounded(self, response: httpx2.Response, also: Collection[int]) -> bytes:
        status = response.status_code
        if status not in _GOOD and status not in also:
            silent = status >= 500 or status in (408, 429)
            raise _TryError("status", status, again=status >= 500, spoke=not silent)
        if response.headers.get("content-encoding", "identity") != "identity":
            raise _TryError("answer-malformed")
        found = bytearray()
        async for part in response.aiter_bytes():
            found += part
            if len(found) > self._longest:
                raise _TryError("answer-too-long", status)
        return bytes(found)

    def _told(self, failed: _TryError) -> Outage:
        return (
            self._outage(cause=failed.cause, status=failed.status)
            if failed.status
            else self._outage(cause=failed.cause)
        )


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _TryError("answer-malformed") from None
    if not isinstance(answer, dict):
        raise _TryError("answer-malformed")
    return answer
