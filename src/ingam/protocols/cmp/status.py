"""PKIStatus, PKIFailureInfo, PKIStatusInfo (RFC 9810 §5.2.3), and the refusal that carries the bit to answer with."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from ingam.kernel.errors import Refusal
from ingam.npki import der, scan
from ingam.npki.der import NotDer

if TYPE_CHECKING:
    from ingam.protocols.cmp.header import Header

MOST_TEXTS: Final = 16
"""UTF8Strings in one PKIFreeText."""

_MOST_BITS_OCTETS: Final = 8


class Status(IntEnum):
    """PKIStatus."""

    ACCEPTED = 0
    GRANTED_WITH_MODS = 1
    REJECTION = 2
    WAITING = 3
    REVOCATION_WARNING = 4
    REVOCATION_NOTIFICATION = 5
    KEY_UPDATE_WARNING = 6


class FailInfo(IntFlag):
    """PKIFailureInfo: named bit n is the value 1 << n. `names(…)` gives the spelling of the RFC."""

    BAD_ALG = 1 << 0
    BAD_MESSAGE_CHECK = 1 << 1
    BAD_REQUEST = 1 << 2
    BAD_TIME = 1 << 3
    BAD_CERT_ID = 1 << 4
    BAD_DATA_FORMAT = 1 << 5
    WRONG_AUTHORITY = 1 << 6
    INCORRECT_DATA = 1 << 7
    MISSING_TIME_STAMP = 1 << 8
    BAD_POP = 1 << 9
    CERT_REVOKED = 1 << 10
    CERT_CONFIRMED = 1 << 11
    WRONG_INTEGRITY = 1 << 12
    BAD_RECIPIENT_NONCE = 1 << 13
    TIME_NOT_AVAILABLE = 1 << 14
    UNACCEPTED_POLICY = 1 << 15
    UNACCEPTED_EXTENSION = 1 << 16
    ADD_INFO_NOT_AVAILABLE = 1 << 17
    BAD_SENDER_NONCE = 1 << 18
    BAD_CERT_TEMPLATE = 1 << 19
    SIGNER_NOT_TRUSTED = 1 << 20
    TRANSACTION_ID_IN_USE = 1 << 21
    UNSUPPORTED_VERSION = 1 << 22
    NOT_AUTHORIZED = 1 << 23
    SYSTEM_UNAVAIL = 1 << 24
    SYSTEM_FAILURE = 1 << 25
    DUPLICATE_CERT_REQ = 1 << 26


_NAMES: Final = (
    "badAlg", "badMessageCheck", "badRequest", "badTime", "badCertId", "badDataFormat", "wrongAuthority",
    "incorrectData", "missingTimeStamp", "badPOP", "certRevoked", "certConfirmed", "wrongIntegrity",
    "badRecipientNonce", "timeNotAvailable", "unacceptedPolicy", "unacceptedExtension", "addInfoNotAvailable",
    "badSenderNonce", "badCertTemplate", "signerNotTrusted", "transactionIdInUse", "unsupportedVersion",
    "notAuthorized", "systemUnavail", "systemFailure", "duplicateCertReq",
)  # fmt: skip


class CmpRefused(Refusal):
    """A message is refused. `fail_info`: the bit that the RFC answers it with; `code`: ours, permanent.

    `header`: what was read of the message before it failed, so that the answer can name its transaction; or None.
    """

    code = "cmp-malformed"
    fail_info: FailInfo = FailInfo.BAD_DATA_FORMAT
    header: Header | None = None

    def __init__(self, code: str | None = None, fail_info: FailInfo | None = None, **facts: str | int) -> None:
        super().__init__(code, **facts)
        if fail_info is not None:
            self.fail_info = fail_info


class StatusInfo(NamedTuple):
    """PKIStatusInfo. `texts`: statusString, as received; what shows them on a terminal escapes them."""

    status: Status
    texts: tuple[str, ...] = ()
    fail_info: FailInfo = FailInfo(0)


ACCEPTED: Final = StatusInfo(Status.ACCEPTED)


def names(fail_info: FailInfo) -> tuple[str, ...]:
    """`("badMessageCheck",)`: the set bits by their RFC names; bits that no RFC names are left out."""
    return tuple(name for bit, name in enumerate(_NAMES) if fail_info >> bit & 1)


def rejection(fail_info: FailInfo, *texts: str) -> StatusInfo:
    """A PKIStatusInfo that refuses."""
    return StatusInfo(Status.REJECTION, texts, fail_info)


@lru_cache(maxsize=64)
def write_fail_info(fail_info: FailInfo) -> bytes:
    """The BIT STRING, without trailing zero bits (X.690 §11.2.2); at least one bit is set."""
    size = int(fail_info).bit_length()
    octets = bytearray((size + 7) // 8)
    for bit in range(size):
        if fail_info >> bit & 1:
            octets[bit // 8] |= 0x80 >> bit % 8
    return der.tlv(der.BIT_STRING, bytes((-size % 8, *octets)))


def read_fail_info(content: bytes) -> FailInfo:
    """From the content of the BIT STRING, at most 64 bits; bits that no RFC names are kept. Raises NotDer."""
    if not content or len(content) > 1 + _MOST_BITS_OCTETS or content[0] > 7:
        raise NotDer(expected="failure bits", found=len(content))
    unused, octets = content[0], content[1:]
    if unused and (not octets or octets[-1] & (1 << unused) - 1):
        raise NotDer(expected="unused bits of zero", found=unused)
    found = 0
    for at, octet in enumerate(octets):
        for bit in range(8):
            if octet & 0x80 >> bit:
                found |= 1 << 8 * at + bit
    return FailInfo(found)


def write_free_text(texts: tuple[str, ...]) -> bytes:
    """PKIFreeText; at least one text."""
    return der.seq(*(der.tlv(der.UTF8_STRING, text.encode()) for text in texts))


def read_free_text(data: bytes, at: int, limit: int) -> tuple[str, ...]:
    """The PKIFreeText at `at`, which ends at `limit`. Raises NotDer."""
    body, end = scan.inside(data, at, limit, der.SEQUENCE)
    if end != limit or body == end:
        raise NotDer(expected="free text", found="something else")
    texts: list[str] = []
    for tag, _, start, stop in scan.parts(data, body, end):
        if tag != der.UTF8_STRING or len(texts) == MOST_TEXTS:
            raise NotDer(expected="free text", found=f"{tag:02x}")
        texts.append(utf8(data[start:stop]))
    return tuple(texts)


def utf8(content: bytes) -> str:
    """Text of a UTF8String's content. Raises NotDer."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise NotDer(expected="utf-8", found="other bytes") from None


_ACCEPTED_DER: Final = der.seq(der.integer(0))


def write_status_info(info: StatusInfo) -> bytes:
    """PKIStatusInfo."""
    if info is ACCEPTED:
        return _ACCEPTED_DER
    texts = write_free_text(info.texts) if info.texts else b""
    bits = write_fail_info(info.fail_info) if info.fail_info else b""
    return der.seq(der.integer(info.status), texts, bits)


def read_status_info(data: bytes, at: int, limit: int) -> tuple[StatusInfo, int]:
    """The PKIStatusInfo at `at`, and where it ends. Raises NotDer."""
    body, end = scan.inside(data, at, limit, der.SEQUENCE)
    number, body = scan.integer(data, body, end)
    if not 0 <= number < len(Status):
        raise NotDer(expected="a PKIStatus", found=number)
    texts: tuple[str, ...] = ()
    fail_info = FailInfo(0)
    if body < end and data[body] == der.SEQUENCE:
        _, stop = scan.inside(data, body, end, der.SEQUENCE)
        texts = read_free_text(data, body, stop)
        body = stop
    if body < end:
        bits, body = scan.inside(data, body, end, der.BIT_STRING)
        fail_info = read_fail_info(data[bits:body])
    if body != end:
        raise NotDer(expected="a PKIStatusInfo", found="more")
    return StatusInfo(Status(number), texts, fail_info), end
