"""Names of an authority's keys: a use and a generation (`issuing-2`).

The use tells what a key may do. `encryption` decrypts and does nothing else; every other use signs and does nothing
else (security D6), wherever the key lies.
"""

from __future__ import annotations

import re
from typing import Final

from ingam.kernel.errors import Defect
from ingam.ports.signing import KeyKind, KeyKindRefused

_NAME: Final = re.compile(r"([a-z]{1,16}(?:-[a-z]{1,16}){0,2})-([1-9][0-9]{0,3})")
_DECRYPTING: Final = "encryption"
_RSA: Final = (KeyKind.RSA_2048, KeyKind.RSA_3072, KeyKind.RSA_4096)


def is_name(text: str) -> bool:
    """Whether it is use and generation, and so fit for a file's name and a token's label."""
    return _NAME.fullmatch(text) is not None


def decrypts(name: str) -> bool:
    """Whether the key of this name decrypts; else it signs. Raises Defect `signing-key-name`."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise Defect("signing-key-name")
    return found[1] == _DECRYPTING


def refuse_other_use(name: str, kind: KeyKind, *, decrypting: bool) -> None:
    """A decryption key is RSA and never signs, any other one never decrypts. Raises KeyKindRefused."""
    if decrypts(name) != decrypting or (decrypting and kind not in _RSA):
        raise KeyKindRefused(kind=kind.value)
