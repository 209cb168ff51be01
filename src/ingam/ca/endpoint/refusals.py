"""Which failInfo answers which failure of the authority's services: the one table of it (RFC 9810 section 5.2.3)."""

from __future__ import annotations

from typing import Final

from ingam.kernel import words
from ingam.kernel.errors import Defect, Failure, Outage
from ingam.npki.der import NotDer
from ingam.protocols.cmp.reading import malformed
from ingam.protocols.cmp.status import CmpRefused, FailInfo, StatusInfo, rejection

_BITS: Final = {
    "ca-key-not-registered": FailInfo.BAD_CERT_TEMPLATE,
    "ca-key-in-use": FailInfo.BAD_CERT_TEMPLATE,
    "ca-registration-used": FailInfo.NOT_AUTHORIZED,
    "ca-wish-refused": FailInfo.BAD_CERT_TEMPLATE,
    "ca-wish-not-authorized": FailInfo.NOT_AUTHORIZED,
    "ca-update-unfinished": FailInfo.BAD_REQUEST,
    "ca-standing": FailInfo.CERT_REVOKED,
    "ca-certificate-unknown": FailInfo.BAD_CERT_ID,
    "ca-renewal-early": FailInfo.NOT_AUTHORIZED,
    "ca-renewal-late": FailInfo.NOT_AUTHORIZED,
    "ca-reissue-late": FailInfo.NOT_AUTHORIZED,
    "cmp-transaction-in-use": FailInfo.TRANSACTION_ID_IN_USE,
}
_KEY: Final = "ca-key-"


def refusal(failure: Failure) -> CmpRefused:
    """The refusal that a message is answered with; a Defect tells nothing but that it was ours."""
    if isinstance(failure, CmpRefused):
        return failure
    if isinstance(failure, NotDer):
        return malformed(failure)
    if isinstance(failure, Defect):
        return CmpRefused(failure.code, FailInfo.SYSTEM_FAILURE)
    if isinstance(failure, Outage):
        return CmpRefused(failure.code, FailInfo.SYSTEM_UNAVAIL)
    bits = _BITS.get(failure.code)
    if bits is None:
        bits = FailInfo.BAD_CERT_TEMPLATE if failure.code.startswith(_KEY) else FailInfo.BAD_REQUEST
    return CmpRefused(failure.code, bits)


def told(refused: CmpRefused) -> StatusInfo:
    """What a client reads: the failInfo; the permanent code, for programs; and what it means, in Korean and English."""
    key = f"refusal.{refused.code}"
    if not words.has(key):
        return rejection(refused.fail_info, refused.code)
    texts = (words.table(lang)[key].format_map(_Facts(refused.facts)) for lang in words.LANGUAGES)
    return rejection(refused.fail_info, refused.code, *texts)


class _Facts(dict[str, str | int]):
    """A placeholder that nobody filled is shown as such."""

    def __missing__(self, name: str) -> str:
        return "-"
