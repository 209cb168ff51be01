"""`ingam ca revoke`, `suspend`, `resume`; on behalf (폐지 대행): a statement that two operators sign (security D14)."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from ingam.adapters.clock.system import SystemClock
from ingam.ca.revoking.service import CertificateUnknown, Revoking
from ingam.ca.revoking.statement import BY_NAME, Statement
from ingam.kernel.errors import Refusal
from ingam.ports.books import Certificate
from ingam.protocols.ocsp import REASONS
from ingam.run.cli import answers, ca_operators, ca_place, ca_telling
from ingam.run.cli.ca_place import desk
from ingam.run.cli.ca_signing import read_signature
from ingam.wiring.authority import CaPorts, authority_folder

BY: Final = "cli"
Change: TypeAlias = Callable[[Revoking, Certificate], Awaitable[Certificate]]

_CHANGED: Final = {
    "ca": "발급 세대 · CA generation",
    "serial": "일련번호 · serial",
    "state": "상태 · state",
    "reason": "사유 · reason",
    "changed_at": "변경 · changed",
}
_NEXT: Final = "두 운영자가 24시간 안에 서명합니다 · within 24 hours two operators run: ingam ca sign"


class RevocationIncomplete(Refusal):
    """The command says neither a serial with a reason, nor a statement with signatures (facts: missing)."""

    code = "ca-revocation-incomplete"


def revoke(options: Namespace) -> int:
    """At once, by a statement, or (`--on-behalf` without one) the statement that is to be signed."""
    if options.statement is not None:
        return _by_statement(options)
    if options.serial is None or options.reason is None:
        raise RevocationIncomplete(missing="--serial, --reason")
    if options.on_behalf:
        if options.basis is None or options.out is None:
            raise RevocationIncomplete(missing="--basis, --out")
        return state(options)
    return _changed(options, lambda work, one: work.revoke(one, BY_NAME[options.reason], by=BY))


def suspend(options: Namespace) -> int:
    """효력정지."""
    return _changed(options, lambda work, one: work.suspend(one, by=BY))


def resume(options: Namespace) -> int:
    """회복."""
    return _changed(options, lambda work, one: work.resume(one, by=BY))


def state(options: Namespace) -> int:
    """`statement`: the text that two operators sign."""

    async def stated() -> Statement:
        async with desk(ca_place.settings_of(options)) as ports:
            one = find(ports, options.serial, options.ca)
            key, now = ports.office.authority.key, SystemClock().now()
            return Statement(key, one.ca, one.serial, options.reason, options.basis, now)

    text = asyncio.run(stated()).text()
    ca_place.write_new(options.out, text)
    if options.json:
        answers.tell_json({"file": str(options.out), "statement": text.decode("ascii")})
    else:
        print(text.decode("ascii"), end="")
        answers.tell_aside(f"{_NEXT} {options.out.name} --key FILE --as NAME")
    return ca_telling.DONE


def find(ports: CaPorts, serial: int, ca: int | None) -> Certificate:
    """The certificate of a serial: of a generation, or of the newest that issued it. Raises CertificateUnknown."""
    generations = [one.generation.number for one in reversed(ports.office.issuers)] if ca is None else [ca]
    for generation in generations:
        found = ports.books.certificate(generation, serial)
        if found is not None:
            return found
    raise CertificateUnknown


def _by_statement(options: Namespace) -> int:
    settings = ca_place.settings_of(options)
    text = ca_place.contents(options.statement)
    signatures = [read_signature(name) for name in options.signatures]

    async def revoked() -> Certificate:
        async with desk(settings) as ports:
            operators = ca_operators.read(authority_folder(settings)).operators
            return await Revoking(ports.office).on_behalf(text, signatures, operators)

    return _tell(asyncio.run(revoked()), options)


def _changed(options: Namespace, change: Change) -> int:
    async def changed() -> Certificate:
        async with desk(ca_place.settings_of(options)) as ports:
            return await change(Revoking(ports.office), find(ports, options.serial, options.ca))

    return _tell(asyncio.run(changed()), options)


def _tell(one: Certificate, options: Namespace) -> int:
    told: dict[str, Any] = {
        "ca": one.ca,
        "serial": f"{one.serial:x}",
        "state": one.state.value,
        "reason": reason_name(one.reason),
        "changed_at": ca_telling.instant(one.changed_at),
    }
    ca_telling.tell(told, _CHANGED, as_json=options.json)
    return ca_telling.DONE


def reason_name(reason: int | None) -> str | None:
    """The name of a CRLReason number."""
    return None if reason is None else REASONS.get(reason, str(reason))
