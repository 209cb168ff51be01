"""Withdrawing an RA's registration of a holder as a general message of our own: CMP has no standard one for it.

genm and genp carry `id-ingam-withdrawal` (2.25.147690576529670081407829877669301549600.6) with the pairs of
`registering`. The genm says reference_number; the genp says state: `withdrawn`, `given-up`, `pending` or `used`.
"""

from __future__ import annotations

from typing import Final

from ingam.npki.der import NotDer
from ingam.protocols.cmp import reading, registering
from ingam.protocols.cmp.header import Info

WITHDRAWAL: Final = "2.25.147690576529670081407829877669301549600.6"


def ask(reference_number: str) -> Info:
    """The question."""
    return _info("reference_number", reference_number)


@reading.strict
def read_asked(info: Info) -> str:
    """The reference number. Raises CmpRefused (cmp-malformed)."""
    return _only(info, "reference_number")


def tell(state: str) -> Info:
    """The answer."""
    return _info("state", state)


@reading.strict
def read_told(info: Info) -> str:
    """What came of the registration. Raises CmpRefused (cmp-malformed)."""
    return _only(info, "state")


def _info(name: str, value: str) -> Info:
    return Info(WITHDRAWAL, registering.write({name: value}).value)


def _only(info: Info, name: str) -> str:
    pairs = registering.read(info)
    if pairs.keys() != {name}:
        raise NotDer(expected=name, found="something else")
    return pairs[name]
