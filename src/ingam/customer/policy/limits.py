"""Limits that two operators may move, and between which bounds; everything else stays what the settings say.

The bounds keep the security rules: no approval makes a code live longer or be guessed more often than they allow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ingam.customer.policy import LIMITS, Policy


@dataclass(frozen=True, slots=True)
class Bound:
    """Least and most of a limit, both included."""

    least: int
    most: int

    def holds(self, value: int) -> bool:
        """Whether the value lies between them."""
        return self.least <= value <= self.most


BOUNDS: Final[Mapping[str, Bound]] = {
    "login_max_fail": Bound(3, 5),
    "sms_ttl_s": Bound(60, 180),
    "sms_tries": Bound(1, 5),
    "sms_gap_s": Bound(30, 600),
    "sms_a_day": Bound(1, 10),
    "sms_person_a_day": Bound(1, 30),
    "sms_wrong_a_day": Bound(5, 15),
    "proof_ttl_s": Bound(60, 300),
    "vid_max_fail": Bound(3, 5),
    "no_medium_max_fail": Bound(3, 5),
    "onewon_account_a_day": Bound(1, 3),
    "onewon_person_a_day": Bound(1, 5),
    "onewon_wrong_a_month": Bound(3, 10),
    "idcard_checks_a_day": Bound(1, 5),
    "copy_runs": Bound(1, 5),
    "copy_opens": Bound(5, 30),
    "address_logins_an_hour": Bound(60, 6000),
}


class LiveLimits:
    """Reads like `settings.Limits`; a limit with an approved value within its bounds is that value now."""

    def __init__(self, ground: object, policy: Policy) -> None:
        self._ground = ground
        self._policy = policy

    def __getattr__(self, name: str) -> Any:
        ground = getattr(self._ground, name)
        return in_force(name, ground, self._policy.value(LIMITS))


def in_force(name: str, ground: Any, approved: Mapping[str, Any]) -> Any:
    """The approved value of a limit if there is one and its bounds hold it; else what the settings say."""
    bound, value = BOUNDS.get(name), approved.get(name)
    return value if bound is not None and type(value) is int and bound.holds(value) else ground
