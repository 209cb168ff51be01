"""What an institution changes without code; INGAM_INSTITUTION_…."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ingam.customer.notice.quiet import Quiet
from ingam.settings.refused import SettingsRefused


@dataclass(frozen=True, slots=True)
class Institution:
    """What an institution changes without code: names, telephone numbers, links, the accent colour."""

    name_ko: str = "증권금융"
    name_en: str = "Securities Finance"
    bank_ko: str = "우리사주뱅킹"
    bank_en: str = "ESOP Banking"
    tel: str = "1544-0000"
    call_hours_ko: str = "평일 09:00–18:00"  # when somebody answers there
    call_hours_en: str = "weekdays 09:00–18:00, Korean time"
    branch_ko: str = "가까운 영업점"
    branch_en: str = "your nearest branch"
    branch_hours_ko: str = "평일 09:00–16:00"
    branch_hours_en: str = "weekdays 09:00–16:00"
    branch_link: str = ""  # where branches are found; "" shows no link
    authority_link: str = "http://www.signkorea.co.kr"
    deposit_link: str = ""  # where 예수금계좌신규개설 leads; "" shows our own page with the telephone number
    brand: str = "#14509b"
    mark: str = "印"
    quiet_hours: str = "21:00-08:00"  # in Korea: what can wait is not sent then; "" is none


def read_institution(environment: Mapping[str, str]) -> Institution:
    """INGAM_INSTITUTION_NAME_KO …: each by its name in capitals."""
    chosen = {
        name: environment[f"INGAM_INSTITUTION_{name.upper()}"]
        for name in Institution.__dataclass_fields__
        if f"INGAM_INSTITUTION_{name.upper()}" in environment
    }
    return Institution(**chosen)


def refuse_quiet(institution: Institution) -> None:
    """Quiet hours that nobody can read. Raises SettingsRefused."""
    try:
        Quiet.read(institution.quiet_hours)
    except ValueError:
        raise SettingsRefused(variable="INGAM_INSTITUTION_QUIET_HOURS") from None
