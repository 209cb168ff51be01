"""The console's menu: a line for each place, in the order of the features, shown to those who may go there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ingam.console.operators import Operator, Role


@dataclass(frozen=True, slots=True)
class Entry:
    """`name` is what templates set as `place`, `word` a key of kernel/words; without roles it is everybody's."""

    name: str
    word: str
    path: str
    roles: tuple[Role, ...] = ()


def shown(entries: Iterable[Entry], operator: Operator | None) -> list[Entry]:
    """What this operator may open; nothing before the passkey was shown."""
    return [] if operator is None else [entry for entry in entries if operator.may(*entry.roles)]
