"""Four eyes as a machine: Drafted → Submitted → Approved → Applied, or Declined · Expired · Voided (security G2, G3).

Maker and checker sign the same bytes: the challenge of both passkeys is the SHA-256 of the change's text, which is what
both were shown. Every edit makes another text with another nonce: what was signed before signs nothing any more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, Literal, TypeAlias

from ingam.kernel.errors import Refusal
from ingam.kernel.flow import IllegalMove, Machine, Step

HEAD_END: Final = "---"
"""The line of a text behind which stands what changes, a line each."""

Why: TypeAlias = Literal["withdrawn", "overtaken", "maker-gone", "key-gone", "unsigned"]


class SamePerson(Refusal):
    """Maker, checker and the person whom a change is about are three (G2); this employee number is one already."""

    code = "change-same-person"


class ChangeExpired(Refusal):
    """The day to approve it in is over (G3)."""

    code = "change-expired"


@dataclass(frozen=True, slots=True)
class Text:
    """What is signed. `body`: the canonical text, UTF-8, LF; `subjects`: employee numbers of whom it is about."""

    body: str
    subjects: tuple[str, ...]
    expires_at: datetime

    @property
    def lines(self) -> list[tuple[str, str, str]]:
        """What changes, as the text says it: (name, before, after)."""
        return [_line(one) for one in self.body.partition(f"\n{HEAD_END}\n")[2].split("\n") if one]

    @property
    def head(self) -> dict[str, str]:
        """What stands above the line: change, kind, maker, subjects, drafted, expires, nonce."""
        lines = self.body.partition(f"\n{HEAD_END}\n")[0].split("\n")[1:]
        return dict(line.split(": ", 1) for line in lines if ": " in line)

    @property
    def challenge(self) -> bytes:
        """SHA-256 of the text: 32 bytes."""
        return sha256(self.body.encode()).digest()


@dataclass(frozen=True, slots=True)
class Signature:
    """A passkey's answer over the text, whole, so that anybody can check it later; values in base64url."""

    employee: str
    at: datetime
    credential: str
    client_data: str
    authenticator_data: str
    signature: str


@dataclass(frozen=True, slots=True)
class Change:
    """What is to change: the kind's own values, by the operator who made it."""

    change_id: str
    kind: str
    maker: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drafted:
    """Written down and shown to the maker; nobody else sees it as asked for."""

    change: Change
    text: Text


@dataclass(frozen=True, slots=True)
class Submitted:
    """Signed by the maker; waits for a second person."""

    change: Change
    text: Text
    made: Signature


@dataclass(frozen=True, slots=True)
class Approved:
    """Signed by both. What it says becomes true with `Applied`, in the same transaction unless others have to act."""

    change: Change
    text: Text
    made: Signature
    checked: Signature


@dataclass(frozen=True, slots=True)
class Applied:
    """It is true."""

    change: Change
    text: Text
    made: Signature
    checked: Signature
    at: datetime


@dataclass(frozen=True, slots=True)
class Declined:
    """The second person said no."""

    change: Change
    text: Text
    checker: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Expired:
    """Nobody approved it in its day."""

    change: Change
    text: Text
    at: datetime


@dataclass(frozen=True, slots=True)
class Voided:
    """Taken back by its maker, overtaken by another change, or its maker may not make it any more."""

    change: Change
    text: Text
    why: Why
    at: datetime


State: TypeAlias = Drafted | Submitted | Approved | Applied | Declined | Expired | Voided


@dataclass(frozen=True, slots=True)
class Edited:
    """Other values, and so another text."""

    values: Mapping[str, str]
    text: Text


@dataclass(frozen=True, slots=True)
class Signed:
    """The maker's passkey signed the text."""

    made: Signature


@dataclass(frozen=True, slots=True)
class Agreed:
    """The checker's passkey signed the text."""

    checked: Signature


@dataclass(frozen=True, slots=True)
class Refused:
    """The checker says no."""

    checker: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TimeOver:
    """Its day is over."""

    at: datetime


@dataclass(frozen=True, slots=True)
class TakenBack:
    """It is not to be approved any more."""

    why: Why
    at: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """What it says is true now."""

    at: datetime


Event: TypeAlias = Edited | Signed | Agreed | Refused | TimeOver | TakenBack | Done

EDGES: Mapping[type[Any], Mapping[type[Any], frozenset[type[Any]]]] = {
    Drafted: {
        Edited: frozenset({Drafted}),
        Signed: frozenset({Submitted}),
        TakenBack: frozenset({Voided}),
        TimeOver: frozenset({Expired}),
    },
    Submitted: {
        Edited: frozenset({Drafted}),
        Agreed: frozenset({Approved}),
        Refused: frozenset({Declined}),
        TakenBack: frozenset({Voided}),
        TimeOver: frozenset({Expired}),
    },
    Approved: {Done: frozenset({Applied}), TakenBack: frozenset({Voided}), TimeOver: frozenset({Expired})},
    Applied: {},
    Declined: {},
    Expired: {},
    Voided: {},
}


def move(state: State, event: Event) -> Step[State]:
    """The next state of a legal event (see EDGES). Raises SamePerson, ChangeExpired."""
    match state, event:
        case Drafted(change) | Submitted(change), Edited(values, text):
            return Step(Drafted(Change(change.change_id, change.kind, change.maker, values), text))
        case Drafted(change, text), Signed(made):
            _in_time(text, made.at)
            if made.employee != change.maker:
                raise SamePerson
            return Step(Submitted(change, text, made))
        case Submitted(change, text, made), Agreed(checked):
            _in_time(text, checked.at)
            _third(change, text, checked.employee)
            return Step(Approved(change, text, made, checked))
        case Submitted(change, text, _), Refused(checker, at):
            _third(change, text, checker)
            return Step(Declined(change, text, checker, at))
        case Drafted(change, text) | Submitted(change, text, _) | Approved(change, text, _, _), TimeOver(at):
            return Step(Expired(change, text, at))
        case Drafted(change, text) | Submitted(change, text, _) | Approved(change, text, _, _), TakenBack(why, at):
            return Step(Voided(change, text, why, at))
        case Approved(change, text, made, checked), Done(at):
            return Step(Applied(change, text, made, checked, at))
    raise IllegalMove


def _in_time(text: Text, at: datetime) -> None:
    if at >= text.expires_at:
        raise ChangeExpired


def _third(change: Change, text: Text, checker: str) -> None:
    """Maker ≠ checker ≠ subject, by employee number (G2)."""
    if checker == change.maker or checker in text.subjects:
        raise SamePerson


def written(name: str, before: str, after: str) -> str:
    """A line of a text: values as JSON, so that no value can look like another line."""
    return json.dumps([name, before, after], ensure_ascii=False)


def _line(text: str) -> tuple[str, str, str]:
    name, before, after = json.loads(text)
    return str(name), str(before), str(after)


MACHINE: Machine[State, Event] = Machine("change", 1, EDGES, move)
