"""`ingam ca status`: the authority at a glance, one certificate with its history, or a person's certificates.

A person is found by the number alone, through the blind index, and names are masked (security H2, G4); whoever looks at
a person's certificate stands in the audit.
"""

from __future__ import annotations

import asyncio
import json
from argparse import Namespace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from ingam.ca import facts as sealed
from ingam.ca.profiles import Customer
from ingam.customer.masking import mask_name
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.npki import certificate
from ingam.ports.books import AuditLine, Certificate, State
from ingam.run.cli import answers, ca_place, ca_telling
from ingam.run.cli.ca_place import desk
from ingam.run.cli.ca_revoking import find, reason_name
from ingam.wiring.authority import CaPorts

LOOKED: Final = "look"
STATES: Final = ("valid", "pending", "held", "revoked", "expired")
_PAGE: Final = 1000
_IDN: Final = "주민·사업자등록번호 · registration number: "
_HEADS: Final = {
    "serial": "일련번호 · serial",
    "ca": "세대 · CA",
    "profile": "종류 · profile",
    "name": "이름 · name",
    "state": "상태 · state",
    "not_after": "만료 · until",
}
_ONE: Final = {
    "serial": "일련번호 · serial",
    "ca": "발급 세대 · CA generation",
    "profile": "종류 · profile",
    "policy": "정책 · policy",
    "name": "이름 · name",
    "state": "상태 · state",
    "reason": "사유 · reason",
    "not_before": "시작 · from",
    "not_after": "만료 · until",
    "confirm_by": "확인 기한 · to be confirmed by",
    "list": "폐지목록 · list",
    "sha256": "SHA-256",
    "spki_sha256": "공개키 SHA-256 · key",
}
_OWN: Final = {"certificate": "인증서 · certificate", "serial": "일련번호 · serial", "not_after": "만료 · until",
               "key": "키 · key"}  # fmt: skip
_HISTORY: Final = {"at": "일시 · at", "state": "상태 · state"}
_NONE: Final = "인증서가 없습니다 · no certificates"


class PersonUnknown(Refusal):
    """No certificate was ever issued to whoever has this number."""

    code = "ca-person-unknown"


def status(options: Namespace) -> int:
    """By what the options ask."""
    if options.serial is not None:
        return asyncio.run(_one(options))
    return asyncio.run(_person(options) if options.person_idn else _whole(options))


async def _whole(options: Namespace) -> int:
    async with desk(ca_place.settings_of(options)) as ports:
        counts, newest = counted(ports, options.newest)
        told: dict[str, Any] = {
            "authority": ports.office.authority.key,
            "name": ports.office.authority.name_ko,
            "own": _own(ports),
            "counts": counts,
            "changes": ports.books.last_change(),
            "log": _log(ports),
            "newest": [_row(ports, one) for one in reversed(newest)],
        }
    if options.json:
        answers.tell_json(told)
        return ca_telling.DONE
    print(f"{told['name']} ({told['authority']})\n")
    ca_telling.tell_list(told["own"], _OWN, _NONE)
    print()
    answers.tell_rows([(ca_telling.shown(state), str(counts[state])) for state in STATES])
    print()
    ca_telling.tell_list(told["newest"], _HEADS, _NONE)
    return ca_telling.DONE


async def _one(options: Namespace) -> int:
    async with desk(ca_place.settings_of(options)) as ports:
        one = find(ports, options.serial, options.ca)
        if is_person(ports, one):
            await _looked(ports, "serial", [one])
        told = {
            **_row(ports, one),
            "policy": one.policy,
            "reason": reason_name(one.reason),
            "not_before": ca_telling.instant(one.not_before),
            "confirm_by": ca_telling.instant(one.confirm_by),
            "list": ports.office.authority.partition_name(one.ca, one.partition),
            "sha256": sha256(one.der).hexdigest(),
            "spki_sha256": one.spki_hash.hex(),
            "history": history(ports, one),
        }
    ca_telling.tell(told, _ONE, as_json=options.json)
    if not options.json:
        print()
        ca_telling.tell_list(told["history"], _HISTORY, _NONE)
    return ca_telling.DONE


async def _person(options: Namespace) -> int:
    number = ca_place.hidden(options.person_idn, "--person-idn", _IDN)
    async with desk(ca_place.settings_of(options), index=True) as ports:
        person = await ports.office.index.index("idn", Secret(number.reveal().replace("-", "")))
        found = ports.books.of_person(person)
        await _looked(ports, "person", found)
        rows = [_row(ports, one) for one in found]
    if not rows:
        raise PersonUnknown
    if options.json:
        answers.tell_json({"certificates": rows})
    else:
        ca_telling.tell_list(rows, _HEADS, _NONE)
    return ca_telling.DONE


def counted(ports: CaPorts, newest: int) -> tuple[dict[str, int], list[Certificate]]:
    """How many certificates are in each state, and the newest ones, oldest first."""
    counts = ports.books.counts(ports.office.now())
    return {state: counts.get(state, 0) for state in STATES}, ports.books.newest(newest)[::-1]


def standing(one: Certificate, now: datetime) -> str:
    """Its state; what ended by time alone is `expired`."""
    return "expired" if one.state is not State.REVOKED and one.not_after < now else one.state.value


def history(ports: CaPorts, one: Certificate) -> list[dict[str, str | None]]:
    """What became of it, in order: issued, and each change of its state."""
    told = [{"at": ca_telling.instant(one.issued_at), "state": "issued"}]
    if one.changed_at is None:
        return told
    after = 0
    while found := ports.books.changes(after, _PAGE):
        told += [
            {"at": ca_telling.instant(change.at), "state": _changed(change.state)}
            for change in found
            if (change.ca, change.serial) == (one.ca, one.serial)
        ]
        after = found[-1].seq
    return told


def is_person(ports: CaPorts, one: Certificate) -> bool:
    """Whether a natural or legal person stands in it, and not a server or a service."""
    profile = ports.office.authority.profiles.get(one.profile)
    return one.person is not None or (profile is not None and profile.customer is not Customer.NONE)


def _changed(state: State) -> str:
    return "released" if state is State.VALID else state.value


def _row(ports: CaPorts, one: Certificate) -> dict[str, Any]:
    return {
        "serial": f"{one.serial:x}",
        "ca": one.ca,
        "profile": one.profile,
        "name": _name(ports, one),
        "state": standing(one, ports.office.now()),
        "not_after": ca_telling.instant(one.not_after),
    }


def _name(ports: CaPorts, one: Certificate) -> str | None:
    """Masked of a person; the subject of what is none."""
    if not is_person(ports, one):
        return str(certificate.parse(one.der).subject)
    kept = None if one.person is None else ports.books.person(one.person)
    if one.person is None or kept is None:
        return None
    return mask_name(sealed.open_person(ports.office.sealer, one.person, kept).name)


def _own(ports: CaPorts) -> list[dict[str, Any]]:
    """The authority's own certificates."""
    held = ports.holdings
    found = [(f"root-{number}", one) for number, one in sorted(held.roots.items())]
    found += [(f"issuing-{number}", one) for number, one in sorted(held.issuing.items())]
    found += [(one.name, one.certificate) for one in held.services]
    return [
        {
            "certificate": name,
            "serial": f"{one.serial:x}",
            "not_after": ca_telling.instant(one.not_after),
            "key": ports.keys.signer(name).public.kind.value,
        }
        for name, one in found
    ]


def _log(ports: CaPorts) -> dict[str, Any]:
    head = ports.books.head()
    return {"leaves": ports.books.size(), "signed": 0 if head is None else head.size,
            "signed_at": None if head is None else ca_telling.instant(head.at)}  # fmt: skip


async def _looked(ports: CaPorts, by: str, found: list[Certificate]) -> None:
    serials = [f"{one.serial:x}" for one in found]
    line = AuditLine(ports.office.now(), LOOKED, "ok", json.dumps({"by": "cli", "asked": by, "serials": serials}))
    await ports.books.audit(line)
