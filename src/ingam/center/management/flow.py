"""The tasks of 인증서관리, on the table that all tasks share (W4, W7).

해제 and 폐지 begin with additional authentication. 효력정지 takes nothing that 회복 does not give back, and a report of
loss does the same without any login: it begins at its last step.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from ingam.center.task import flow
from ingam.center.task.flow import Event, State
from ingam.customer.additional_auth import Purpose
from ingam.kernel.flow import Machine


class Kind(StrEnum):
    """What a person may do. A task's target is the id of a binding; of 폐지 `id:reason`."""

    RELEASE = "release"  # 타기관인증서 해제
    REVOCATION = "revocation"  # 폐지
    SUSPENSION = "suspension"  # 효력정지


class Reason(StrEnum):
    """Why a certificate is revoked, as the page asks for it (W7)."""

    KEY = "key"  # 키 유출/분실
    FACTS = "facts"  # 정보 변경
    UNUSED = "unused"  # 더 이상 사용 안 함


CRL_REASONS: Final[Mapping[str, int]] = {Reason.KEY: 1, Reason.FACTS: 3, Reason.UNUSED: 5}
"""keyCompromise, affiliationChanged, cessationOfOperation (RFC 5280, 5.3.1)."""

PURPOSES: Final[Mapping[str, Purpose]] = {
    Kind.RELEASE: Purpose.RELEASE,
    Kind.REVOCATION: Purpose.REVOCATION,
    Kind.SUSPENSION: Purpose.SUSPENSION,
}
"""What the additional authentication of each task is for (E1); 효력정지 asks for it of a union's heads alone."""

MANAGEMENT: Final[Machine[State, Event]] = flow.machine("management", flow.SIGNED)
