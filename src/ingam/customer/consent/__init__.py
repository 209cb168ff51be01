"""Consents to the documents of flows.md: which document, in which version, of which bytes, when, by which way.

A tick on a form names the version and the SHA-256 of the text that was shown. It counts only while that text is the
current one: somebody who read another text has not agreed to this one and is asked to read again.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Protocol, TypeAlias

from ingam.kernel.errors import Refusal
from ingam.ports.store import Change, Insert, Row, Store, Update

MOBILE_WEB: Final = "mobile-web"
CONSENT_BYTES: Final = 16
FIELD: Final = "consent_"
"""A document's checkbox is named `consent_T1`; its value is `Document.tick`."""

Ticked: TypeAlias = Mapping[str, str]
"""{"T1": "2026-11-01:<64 hex>"}: what a form says of each document."""

_TICK: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}):([0-9a-f]{64})")


class ConsentMissing(Refusal):
    """Required documents were not agreed to (M-ISS-02); fact `documents`: their codes, "T1,T3"."""

    code = "consent-missing"


class ConsentOutdated(Refusal):
    """The text that was shown is no longer, or never was, the current one: read again; fact `documents`."""

    code = "consent-outdated"


class Document(Protocol):
    """One version of one document, as screens show it; `center.terms` has them."""

    @property
    def code(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def effective(self) -> date: ...
    @property
    def required(self) -> bool: ...
    @property
    def kind(self) -> str: ...
    @property
    def example(self) -> bool: ...
    @property
    def href(self) -> str: ...
    def title(self, lang: str) -> str:
        """As flows.md has it."""

    def tick(self, lang: str) -> str:
        """The value of its checkbox, for the text in this language."""


class Terms(Protocol):
    """The documents that are in force."""

    def documents(self, codes: Iterable[str], at: datetime) -> Sequence[Document]:
        """The current versions, in the order of the codes."""

    def accepts(self, code: str, version: str, sha256: str, at: datetime) -> bool:
        """Whether these are the current version and the digest of its text in one of its languages."""


@dataclass(frozen=True, slots=True)
class Consent:
    """A stored consent. `sha256`: of the exact text that was shown, which tells the language as well."""

    consent_id: str
    customer_id: str
    code: str
    version: str
    sha256: str
    at: datetime
    channel: str
    flow_id: str | None
    withdrawn_at: datetime | None


class Consents:
    """Checks what was ticked, prepares the rows that the caller's transaction saves, and tells a person's history."""

    def __init__(self, terms: Terms, store: Store, token: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._terms = terms
        self._store = store
        self._token = token

    def documents(self, codes: Iterable[str], at: datetime) -> Sequence[Document]:
        """What a screen lists for agreement."""
        return self._terms.documents(codes, at)

    def given(
        self, customer_id: str, codes: Iterable[str], ticked: Ticked, flow_id: str | None, at: datetime,
        *, channel: str = MOBILE_WEB,
    ) -> list[Change]:  # fmt: skip
        """One row for each ticked document of `codes`; others on the form are not looked at.

        Raises ConsentMissing when a required one is not ticked, ConsentOutdated when another text was read.
        """
        asked = self._terms.documents(codes, at)
        missing = [one.code for one in asked if one.required and not ticked.get(one.code)]
        if missing:
            raise ConsentMissing(documents=",".join(missing))
        said = {one.code: _TICK.fullmatch(ticked[one.code]) for one in asked if ticked.get(one.code)}
        known = {code: (found[1], found[2]) for code, found in said.items() if found}
        stale = [code for code in said if code not in known or not self._terms.accepts(code, *known[code], at)]
        if stale:
            raise ConsentOutdated(documents=",".join(stale))
        return [self._row(customer_id, code, said, flow_id, at, channel) for code, said in known.items()]

    def _row(
        self, customer_id: str, code: str, said: tuple[str, str], flow_id: str | None, at: datetime, channel: str
    ) -> Change:
        return Insert(
            "consent",
            {
                "consent_id": self._token(CONSENT_BYTES).hex(), "customer_id": customer_id, "code": code,
                "version": said[0], "hash": said[1], "at": at, "channel": channel, "flow_id": flow_id,
                "withdrawn_at": None,
            },
        )  # fmt: skip

    async def history(self, customer_id: str, limit: int = 100) -> list[Consent]:
        """Every consent of a customer, newest first, withdrawn ones too."""
        where = {"customer_id": customer_id}
        rows = await self._store.many("consent", where, order="at", descending=True, limit=limit)
        return [_consent(row) for row in rows]

    def withdrawn(self, consent: Consent, at: datetime) -> Change:
        """The end of a consent, once: a second withdrawal is Stale. The row stays, as evidence of both."""
        return Update("consent", {"consent_id": consent.consent_id, "withdrawn_at": None}, {"withdrawn_at": at})


def ticked(fields: Mapping[str, str]) -> dict[str, str]:
    """What a form says of documents: its fields `consent_T1` … that are not empty."""
    return {name.removeprefix(FIELD): value for name, value in fields.items() if name.startswith(FIELD) and value}


def _consent(row: Row) -> Consent:
    at, flow_id, ended = row["at"], row["flow_id"], row["withdrawn_at"]
    assert isinstance(at, datetime)
    assert ended is None or isinstance(ended, datetime)
    texts = {name: str(row[name]) for name in ("consent_id", "customer_id", "code", "version", "channel")}
    return Consent(
        **texts, sha256=str(row["hash"]), at=at, flow_id=None if flow_id is None else str(flow_id), withdrawn_at=ended
    )
