"""`ingam ca operator`: who signs on behalf; the first two at once, each later change signed by two others (D14, G1-2).

What was asked stands in the audit of the books before the file changes, and what came of it behind.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ingam.adapters.clock.system import SystemClock
from ingam.ca.revoking.statement import Operator, Signed
from ingam.kernel.errors import Refusal
from ingam.ports.books import AuditLine
from ingam.run.cli import answers, ca_operators, ca_place, ca_telling
from ingam.run.cli.ca_operators import ADD, REMOVE, OperatorsRefused, OperatorsTwo
from ingam.run.cli.ca_place import desk
from ingam.run.cli.ca_signing import public_key, read_signature
from ingam.settings import Settings
from ingam.wiring.authority import authority_folder, open_authority

ACTION: Final = "operators"
_HEADS: Final = {"name": "이름 · name", "person": "사번 · employee", "fingerprint": "키 지문 · key"}
_NONE: Final = "운영자가 없습니다: 처음에는 둘을 한 번에 더합니다 · no operators: the first ones are added two at once"
_NEXT: Final = "다른 두 운영자가 24시간 안에 서명합니다 · within 24 hours two other operators run: ingam ca sign"


class OperatorsSigned(Refusal):
    """There are operators already: a change is one operator, in a statement (--out) that two of them sign."""

    code = "ca-operators-signed"


def listed(options: Namespace) -> int:
    """`operator list`."""
    settings = ca_place.settings_of(options)
    open_authority(settings)
    rows = [_row(one) for one in ca_operators.read(authority_folder(settings)).operators.values()]
    if options.json:
        answers.tell_json({"operators": rows})
    else:
        ca_telling.tell_list(rows, _HEADS, _NONE)
    return ca_telling.DONE


def add(options: Namespace) -> int:
    """`operator add`: the first ones at once; later the statement of one more."""
    settings = ca_place.settings_of(options)
    open_authority(settings)
    chosen = [Operator(one.name, one.person, public_key(one.key)) for one in options.operators]
    if ca_operators.read(authority_folder(settings)).operators:
        if len(chosen) != 1 or options.out is None:
            raise OperatorsSigned
        return _propose(options, settings, ADD, chosen[0])
    founded(settings, chosen)
    return listed(options)


def remove(options: Namespace) -> int:
    """`operator remove`: the statement of one less."""
    settings = ca_place.settings_of(options)
    open_authority(settings)
    operator = ca_operators.read(authority_folder(settings)).operators.get(options.operator)
    if operator is None:
        raise OperatorsRefused(part="unknown")
    return _propose(options, settings, REMOVE, operator)


def apply(options: Namespace) -> int:
    """`operator apply`: a statement of a change with its signatures."""
    settings = ca_place.settings_of(options)
    text = ca_place.contents(options.statement)
    entered(settings, text, [read_signature(name) for name in options.signatures])
    return listed(options)


def founded(settings: Settings, first: Sequence[Operator]) -> None:
    """The first operators stand in the file. Raises OperatorsTwo, OperatorsRefused."""
    names = ", ".join(one.name for one in first)
    _audited(settings, "found", names, lambda: ca_operators.found(authority_folder(settings), first))


def entered(settings: Settings, text: bytes, signatures: Sequence[Signed]) -> None:
    """The change that was signed stands in the file. Raises OperatorsTwo, OperatorsRefused."""
    authority, now = open_authority(settings).key, SystemClock().now()

    def applied() -> None:
        ca_operators.apply(authority_folder(settings), text, signatures, authority=authority, at=now)

    _audited(settings, "apply", ", ".join(one.operator for one in signatures), applied, text)


def _propose(options: Namespace, settings: Settings, act: str, operator: Operator) -> int:
    before, now = ca_operators.read(authority_folder(settings)), SystemClock().now()
    text = ca_operators.proposed(before, open_authority(settings).key, act, operator, now).text()
    ca_place.write_new(options.out, text)
    if options.json:
        answers.tell_json({"file": str(options.out), "statement": text.decode("ascii")})
    else:
        print(text.decode("ascii"), end="")
        answers.tell_aside(f"{_NEXT} {options.out.name} --key FILE --as NAME")
    return ca_telling.DONE


def _audited(settings: Settings, act: str, by: str, change: Callable[[], None], text: bytes = b"") -> None:
    facts: dict[str, str | int | None] = {
        "act": act,
        "by": by,
        "statement": hashlib.sha256(text).hexdigest() if text else None,
    }
    asyncio.run(_line(settings, "asked", facts))
    try:
        change()
    except (OperatorsRefused, OperatorsTwo) as refused:
        asyncio.run(_line(settings, refused.code, facts | refused.facts))
        raise
    asyncio.run(_line(settings, "ok", facts))


async def _line(settings: Settings, result: str, facts: Mapping[str, str | int | None]) -> None:
    async with desk(settings) as ports:
        await ports.books.audit(AuditLine(ports.office.now(), ACTION, result, json.dumps(facts)))


def _row(one: Operator) -> dict[str, str]:
    return {"name": one.name, "person": one.person, "fingerprint": hashlib.sha256(one.key).hexdigest()[:16],
            "key": one.key.hex()}  # fmt: skip
