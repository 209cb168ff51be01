"""Revocation on behalf as a general message of our own: a signed change of the console, carried by an RA.

genm and genp carry `id-ingam-on-behalf` (2.25.147690576529670081407829877669301549600.5) with the pairs of
`registering`. The genm says text and, for each signature, employee, credential, client_data, authenticator_data and
signature (`1.employee` …); the genp says serial and state. What counts are the signatures inside, not who carries them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ingam.npki.der import NotDer
from ingam.protocols.cmp import reading, registering
from ingam.protocols.cmp.header import Info

ON_BEHALF: Final = "2.25.147690576529670081407829877669301549600.5"
MOST_SIGNATURES: Final = 3


class OperatorSignature(NamedTuple):
    """An operator's passkey over the SHA-256 of a text (WebAuthn L3, 7.2); values in base64url."""

    employee: str
    credential: str
    client_data: str
    authenticator_data: str
    signature: str


def ask(text: str, signatures: Sequence[OperatorSignature]) -> Info:
    """The question. `text`: the change, to the byte."""
    pairs = {"text": text}
    for number, one in enumerate(signatures, 1):
        pairs |= {f"{number}.{name}": value for name, value in zip(one._fields, one, strict=True)}
    return Info(ON_BEHALF, registering.write(pairs).value)


@reading.strict
def read_asked(info: Info) -> tuple[str, tuple[OperatorSignature, ...]]:
    """The text and its signatures. Raises CmpRefused (cmp-malformed)."""
    pairs = dict(registering.read(info))
    text = pairs.pop("text", None)
    found = []
    for number in range(1, MOST_SIGNATURES + 1):
        values = [pairs.pop(f"{number}.{name}", None) for name in OperatorSignature._fields]
        if any(value is not None for value in values):
            found.append(values)
    if text is None or pairs or any(value is None for values in found for value in values):
        raise NotDer(expected="a signed change", found="something else")
    return text, tuple(OperatorSignature(*map(str, values)) for values in found)


def tell(serial: int, state: str) -> Info:
    """The answer: the certificate and its state now."""
    return Info(ON_BEHALF, registering.write({"serial": f"{serial:x}", "state": state}).value)


def read_told(info: Info) -> dict[str, str]:
    """serial and state. Raises CmpRefused."""
    return registering.read(info)
