"""The menus in the manual's words: the top menu, the side menu of 인증센터, the phone's tabs and list, and the path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Place:
    """An entry: `name` is what templates set as `place`, `word` a key of kernel/words, `parts` what opens below it."""

    name: str
    word: str
    path: str
    parts: tuple[Place, ...] = ()


TOP: Final = (
    Place("inquiry", "page.menu_inquiry", "/inquiry"),
    Place("loan", "page.menu_loan", "/loan"),
    Place("cert_center", "page.menu_cert_center", "/cert-center"),
    Place("services", "page.menu_services", "/protection"),
)

JOINT: Final = (
    Place("about", "page.menu_about", "/about"),
    Place("registration", "page.menu_registration", "/registration"),
    Place(
        "issuance",
        "page.menu_issuance",
        "/issuance",
        (
            Place("issuance_new", "page.menu_issuance_new", "/issuance#new"),
            Place("issuance_reissue", "page.menu_issuance_reissue", "/issuance/reissue"),
            Place("renewal", "page.menu_issuance_renewal", "/issuance/renewal"),
            Place("issuance_progress", "page.menu_issuance_progress", "/issuance/progress"),
        ),
    ),
    Place("copying", "page.menu_copying", "/copying"),
    Place(
        "management",
        "page.menu_management",
        "/management",
        (
            Place("certificates", "page.menu_management_view", "/management/certificates"),
            Place("certificates_password", "page.menu_management_password", "/management/certificates/password"),
            Place("certificates_files", "page.menu_management_files", "/management/certificates/files"),
            Place("certificates_simple", "page.menu_management_simple", "/management/certificates/simple"),
            Place("release", "page.menu_management_release", "/management/release"),
            Place("revocation", "page.menu_management_revocation", "/management/revocation"),
            Place("suspension", "page.menu_management_suspension", "/management/suspension"),
            Place("notices", "page.menu_management_notices", "/management/notices"),
            Place("incident", "page.menu_incident", "/incident"),
        ),
    ),
)
FINANCE: Final = Place("finance_cert", "page.menu_finance_cert", "/finance-cert")
TABS: Final = (
    Place("main", "phone.tab_main", "/main"),
    Place("cert_center", "phone.tab_center", "/cert-center"),
    Place("deposit", "phone.tab_deposit", "/deposit"),
    Place("mybank", "phone.tab_mybank", "/mybank"),
)
"""At the bottom of a phone. `deposit` leads to the institution's own address where it has one."""

NEW: Final = Place("issuance_new", "page.menu_issuance_new", "/issuance/new")
PHONE: Final = (
    Place("issuance", "phone.menu_new", "/issuance", (NEW,)),
    Place("copying", "page.menu_copying", "/copying"),
    Place("registration", "page.menu_registration", "/cert-center/registration"),
    Place("management", "page.menu_management", "/management"),
    Place("incident", "page.menu_incident", "/incident"),
)
"""공동인증서 as the phone lists it (B1): what can be done there, the new certificate first."""

CENTER: Final = TOP[2]
SERVICES: Final = TOP[3]
_PARTS: Final = tuple(part for entry in JOINT for part in entry.parts)
_OF_CENTER: Final = frozenset({entry.name for entry in (*JOINT, *_PARTS, FINANCE, CENTER)})
_PROTECTION_PATH: Final = (SERVICES.word, "page.menu_security", "page.menu_protection", "page.menu_apply")


@dataclass(frozen=True, slots=True)
class Crumb:
    """One word of the breadcrumb; without a path it is no link."""

    word: str
    path: str | None = None


def crumbs_of(place: str) -> tuple[Crumb, ...]:
    """인증센터 > 공동인증서 > 타기관인증서등록 of "registration"; empty for a place outside the menus."""
    center = Crumb(CENTER.word, CENTER.path)
    if place == NEW.name:
        return (center, Crumb("page.menu_joint"), Crumb(PHONE[0].word, PHONE[0].path), Crumb(NEW.word))
    for entry in JOINT:
        if entry.name == place:
            return (center, Crumb("page.menu_joint"), Crumb(entry.word))
        for part in entry.parts:
            if part.name == place:
                return (center, Crumb("page.menu_joint"), Crumb(entry.word, entry.path), Crumb(part.word))
    if place == FINANCE.name:
        return (center, Crumb(FINANCE.word))
    if place == "protection":
        return tuple(Crumb(word) for word in _PROTECTION_PATH)
    return ()


def top_of(place: str) -> str:
    """Which entry of the top menu a place belongs to; "" for none."""
    if place == "protection":
        return SERVICES.name
    if place in _OF_CENTER:
        return CENTER.name
    return place if place in {entry.name for entry in TOP} else ""


def tab_of(place: str) -> str:
    """Which tab of the phone a place belongs to; "" for none."""
    if place in _OF_CENTER:
        return CENTER.name
    return place if place in {entry.name for entry in TABS} else ""


def holds(entry: Place, place: str) -> bool:
    """Whether a place is this entry or one of those that open below it."""
    return entry.name == place or any(part.name == place for part in entry.parts)
