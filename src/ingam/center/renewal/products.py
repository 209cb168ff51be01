"""What is renewed here, and what that costs. Who renews changes neither kind nor policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ingam.npki import policies
from ingam.npki.certificate import Certificate
from ingam.npki.policies import Policy
from ingam.ports.customers import CustomerKind


@dataclass(frozen=True, slots=True)
class Renewable:
    """`key`: as forms and receipts name it; `profile`: the authority's word; `use`: of policies.toml; `fee`: won."""

    key: str
    profile: str
    use: str
    fee: int = 0


ALL: Final = (Renewable("gold", "securities", "securities"), Renewable("universal", "universal", "universal", 4_400))
"""골드(용도제한용, 무료), and 범용 where somebody takes the fee."""


def renewed_here(*, fees: bool) -> Mapping[str, Renewable]:
    """By the authority's profile. `fees`: whether there is a payment provider."""
    return {one.profile: one for one in ALL if fees or not one.fee}


def rows_of(authorities: Sequence[Certificate], kind: CustomerKind, renewed: Mapping[str, Renewable]) -> list[Policy]:
    """The rows of the policy table that are renewed here, under these authorities; a 조합장 holds personal ones."""
    holder = "corporate" if kind is CustomerKind.CORPORATE else "personal"
    owners = {found.key for one in authorities if (found := policies.authority(one.subject)) is not None}
    uses = {one.use for one in renewed.values()}
    return [row for row in policies.policies() if row.ca.key in owners and row.use in uses and row.holder == holder]
