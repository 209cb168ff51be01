"""What the authority knows of a holder, sealed in the books; it opens for one function at a time (security H1, H2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ingam.kernel.secret import Secret
from ingam.ports.keys import Sealer

PERSON: Final = "ca-person"
REGISTRATION: Final = "ca-registration"
NOTICE: Final = "ca-notice"


@dataclass(frozen=True, slots=True, repr=False)
class Facts:
    """A holder. `idn`: 13 or 10 digits, or empty for a server; `number` makes the name unique; `mobile`: digits.

    `english`, `branch`, `hosts`: what names of some profiles need.
    """

    name: str
    idn: Secret[str]
    number: str = ""
    english: str = ""
    branch: str = ""
    mobile: str = ""
    email: str = ""
    hosts: tuple[str, ...] = ()


def seal_person(sealer: Sealer, person: bytes, facts: Facts) -> bytes:
    """The facts of a person, bound to the row of the person."""
    return sealer.seal(_encoded(facts), f"{PERSON} {person.hex()}")


def open_person(sealer: Sealer, person: bytes, sealed: bytes) -> Facts:
    """Raises Defect `sealed-payload`."""
    return _facts(msgspec.json.decode(sealer.open(sealed, f"{PERSON} {person.hex()}")))


def seal_registration(sealer: Sealer, reference: str, code: Secret[str] | None, facts: Facts | None) -> bytes:
    """The authorization code (None: forgotten), and the facts where no person stands in the books for them."""
    inner = {"code": None if code is None else code.reveal(), "facts": None if facts is None else _plain(facts)}
    return sealer.seal(msgspec.json.encode(inner), f"{REGISTRATION} {reference}")


def open_registration(sealer: Sealer, reference: str, sealed: bytes) -> tuple[Secret[str] | None, Facts | None]:
    """Code and facts. Raises Defect `sealed-payload`."""
    inner = msgspec.json.decode(sealer.open(sealed, f"{REGISTRATION} {reference}"))
    code, facts = inner["code"], inner["facts"]
    return None if code is None else Secret(code), None if facts is None else _facts(facts)


def _encoded(facts: Facts) -> bytes:
    return msgspec.json.encode(_plain(facts))


def _plain(facts: Facts) -> dict[str, Any]:
    return {
        "name": facts.name, "idn": facts.idn.reveal(), "number": facts.number, "english": facts.english,
        "branch": facts.branch, "mobile": facts.mobile, "email": facts.email, "hosts": facts.hosts,
    }  # fmt: skip


def _facts(plain: Mapping[str, Any]) -> Facts:
    return Facts(**{**plain, "idn": Secret(plain["idn"]), "hosts": tuple(plain["hosts"])})
