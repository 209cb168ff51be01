"""The address book (주소찾기): road addresses that contain what somebody typed; the server alone asks (security B5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

from ingam.kernel.errors import Outage, Refusal

PAGE: Final = 10
"""Addresses of a page."""

LONGEST_KEYWORD: Final = 80
"""Characters of a keyword that are looked at."""


class AddressOutage(Outage):
    """The address book did not answer, or not in form; an address can be looked up later."""

    code = "address-outage"


class AddressKeyword(Refusal):
    """Too short, too general, or of nothing that an address consists of."""

    code = "address-keyword"


class AddressTooMany(Refusal):
    """More addresses than are shown: the keyword has to say more."""

    code = "address-too-many"


@dataclass(frozen=True, slots=True)
class Address:
    """`road`: 도로명주소 with its 참고항목; `jibun`: the same by lot number, or ""; `zip5`: 5 digits."""

    road: str = field(repr=False)
    jibun: str = field(repr=False)
    zip5: str


@dataclass(frozen=True, slots=True)
class Found:
    """`total`: of all pages; `addresses`: of this one, at most PAGE."""

    total: int
    addresses: tuple[Address, ...]


class AddressBook(Protocol):
    """Who keeps the addresses of the country."""

    async def search(self, keyword: str, page: int) -> Found:
        """`page`: from 1. Raises AddressKeyword, AddressTooMany, AddressOutage."""
