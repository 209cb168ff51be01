"""What is offered now: a switch and hours for each way, and notices of the service; operators set them (W11).

A way that is off says why, in both languages, and until when if that is known. Where a person can see a way they see
the reason; where they use it anyway it is refused with the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ingam.kernel.errors import Refusal
from ingam.kernel.instants import korean_minute
from ingam.kernel.words import say


class Way(StrEnum):
    """What can be switched off by itself."""

    SMS = "sms"
    ARS = "ars"
    BRANCH_OTP = "branch-otp"
    LOGIN_ID = "login-id"
    LOGIN_CERTIFICATE = "login-certificate"
    FINANCE = "finance"
    REGISTRATION = "registration"
    ISSUANCE = "issuance"
    COPYING = "copying"
    DEVICES = "devices"


FACTORS = (Way.SMS, Way.ARS, Way.BRANCH_OTP)
"""Shown as a choice among others: one that is off is told beside the rest, not on top of the page."""


class WayOff(Refusal):
    """The way is off now, or outside its hours; nothing was stored (facts: way, reason)."""

    code = "way-off"


@dataclass(frozen=True, slots=True)
class Off:
    """Why a way cannot be used, and until when (None: not known)."""

    reason_ko: str
    reason_en: str
    until: datetime | None = None

    def reason(self, lang: str) -> str:
        """The reason in a language, with the end where it is known."""
        told = self.reason_en if lang == "en" else self.reason_ko
        if self.until is None:
            return told
        return say("availability.off_until", lang, reason=told, time=korean_minute(self.until))

    def refusal(self, way: Way, lang: str) -> WayOff:
        """What is raised where it is used anyway."""
        return WayOff(way=str(way), reason=self.reason(lang))


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice of the service (점검 안내), shown from `from_at` until `until_at`. `kind`: "info" or "warn"."""

    notice_id: str
    kind: str
    text_ko: str
    text_en: str
    from_at: datetime
    until_at: datetime

    def text(self, lang: str) -> str:
        """The text in a language."""
        return self.text_en if lang == "en" else self.text_ko

    def shown(self, at: datetime) -> bool:
        """Whether it is shown at an instant."""
        return self.from_at <= at < self.until_at


@dataclass(frozen=True, slots=True)
class Now:
    """All of it at one instant: what is off, and what is to be told."""

    off: Mapping[Way, Off]
    notices: tuple[Notice, ...] = ()

    def reason(self, way: str, lang: str) -> str:
        """Why a way is off, for a screen; "" while it is on."""
        off = self.off.get(Way(way))
        return "" if off is None else off.reason(lang)


ALL_ON = Now({})
