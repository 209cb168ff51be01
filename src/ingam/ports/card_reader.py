"""The reader of a photographed identity card: what is printed on it, and a picture of it that may be kept.

The person may correct every field: a reading is a help for typing, never a proof. Whether the card is genuine is asked
of its issuer (`ports/id_card.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from ingam.kernel.errors import Outage, Refusal

MOST_BYTES: Final = 6 * 1024 * 1024
"""Of a photograph."""

MOST_MASKED_BYTES: Final = 400 * 1024
"""Of the picture that may be kept."""


class CardKind(StrEnum):
    """The two cards that are accepted: 주민등록증 and 운전면허증."""

    RESIDENT = "resident"
    LICENCE = "licence"


FIELDS: Final = {
    CardKind.RESIDENT: ("name", "idn", "issued_on"),
    CardKind.LICENCE: ("name", "birth_date", "number", "serial"),
}
"""The fields of a reading. name: NFC, without spaces where it is Hangul. idn: 13 digits. issued_on and birth_date:
YYYYMMDD. number: "11-15-123456-01", or "서울-15-123456-01" on older licences. serial: 5 or 6 of A–Z and 0–9."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read. `fields`: only those that were found in form. `sure`: 0 to 1 for each of them.

    `masked`: the card cut out of the photograph, the back half of the resident registration number black, as JPEG of at
    most 400 KiB without metadata. It is the only picture that may be kept (security H8).
    """

    kind: CardKind
    fields: dict[str, str] = field(repr=False)
    sure: dict[str, float]
    masked: bytes = field(repr=False)


class CardUnreadable(Refusal):
    """Blurred, glare, too small or no card in it; nothing was kept."""

    code = "card-unreadable"


class CardNotAnImage(Refusal):
    """Neither JPEG, PNG nor WebP by its first bytes, or broken; nothing was kept."""

    code = "card-not-an-image"


class CardTooLarge(Refusal):
    """More bytes or more pixels than a photograph of a card needs; it was not decoded. `most_mib`: of the file."""

    code = "card-too-large"


class CardWrongKind(Refusal):
    """The title printed on it is that of the other card; nothing was kept."""

    code = "card-wrong-kind"


class CardReaderOutage(Outage):
    """The reader is busy, died or took too long; nothing was kept, the same photograph may be read again."""

    code = "card-reader-outage"


class CardReader(Protocol):
    """Reads one photograph at a time, or a few."""

    async def read(self, image: bytes, kind: CardKind) -> Reading:
        """What is printed on the card of `kind` in `image` (JPEG, PNG or WebP).

        Raises CardUnreadable, CardNotAnImage, CardTooLarge, CardWrongKind, CardReaderOutage.
        """
