"""The windows that the center had opened, in memory: who connected, and what became of the signature."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ingam.sandbox.people import PEOPLE, Person

WINDOW_S: Final = 300
CODE_TRIES: Final = 5
MOST: Final = 10_000


@dataclass(slots=True)
class Window:
    """One signature that was asked for. `token`: in its address; `id`: the center's, never shown to a browser.

    `proof` exists from the signature on. `stage`: open, signed, taken, cancelled, locked.
    """

    id: str
    token: str
    client: str
    purpose: str
    text: bytes = field(repr=False)
    return_to: str
    lang: str
    expires: datetime
    stage: str = "open"
    person: Person | None = field(default=None, repr=False)
    code: str = field(default="", repr=False)
    sent_to: Person | None = field(default=None, repr=False)
    asked: bool = False
    code_wrong: int = 0
    signed: bytes = field(default=b"", repr=False)
    proof: str = field(default="", repr=False)


class Windows:
    """By the center's id and by the token of the address."""

    def __init__(self) -> None:
        self._by_id: dict[str, Window] = {}
        self._by_token: dict[str, Window] = {}

    def open(self, made: Window) -> bool:
        """False where the id is known already. The oldest of too many go."""
        if made.id in self._by_id:
            return False
        while len(self._by_id) >= MOST:
            oldest = self._by_id.pop(next(iter(self._by_id)))
            self._by_token.pop(oldest.token, None)
        self._by_id[made.id] = self._by_token[made.token] = made
        return True

    def of_center(self, id: str) -> Window | None:
        """By the center's id."""
        return self._by_id.get(id)

    def of_browser(self, token: str) -> Window | None:
        """By the address."""
        return self._by_token.get(token)


def opened(id: str, client: str, purpose: str, text: bytes, return_to: str, lang: str, now: datetime) -> Window:
    """A new window."""
    token = secrets.token_urlsafe(24)
    return Window(id, token, client, purpose, text, return_to, lang, now + timedelta(seconds=WINDOW_S))


def who(name: str, mobile: str, born: str) -> Person | None:
    """The demo person of a name, a mobile number and a birth date (YYYYMMDD); human beings only."""
    wanted = "".join(name.split()).casefold()
    return next(
        (
            one
            for one in PEOPLE
            if one.natural
            and "".join(one.name.split()).casefold() == wanted
            and one.mobile == mobile
            and f"{one.birth_date:%Y%m%d}" == born
        ),
        None,
    )
