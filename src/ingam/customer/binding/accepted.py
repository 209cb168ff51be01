"""Which certificates may be registered, in the words of a page: one line an authority, by kind of customer (A9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ingam.kernel.words import say
from ingam.npki.policies import Policy

WRONG: Final = frozenset({"policy-not-accepted", "bank-only", "kind-clash"})
"""Codes of check 6: whoever hears one is told what is taken instead."""


def lines(rows: Sequence[Policy], lang: str) -> tuple[str, ...]:
    """`코스콤: 범용(개인), 증권/보험용`, in the order of the table."""
    told: dict[str, list[str]] = {}
    for row in rows:
        named = (row.ca.name_en, row.name_en) if lang == "en" else (row.ca.name_ko, row.name_ko)
        told.setdefault(named[0], []).append(named[1])
    return tuple(say("accepted.line", lang, authority=ca, policies=", ".join(names)) for ca, names in told.items())


def instead(message: str, rows: Sequence[Policy], lang: str) -> str:
    """A refusal of a policy, and what is taken."""
    told = " · ".join(lines(rows, lang))
    return say("accepted.instead", lang, message=message, lines=told) if told else message
