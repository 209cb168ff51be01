"""The tasks of 전자금융사기 예방서비스, on the table that all tasks share (W8, E8, F5).

A task that a key of the person signs may begin at Confirming; one that changes who may skip the additional
authentication begins with it.
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
    """What a person may do here. A target is the id of a device or passkey, or a `Phone`."""

    DEVICE = "device"  # designate this browser
    PASSKEY = "passkey"  # make one for the login
    REMOVE_DEVICE = "remove-device"
    REMOVE_PASSKEY = "remove-passkey"
    CANCEL = "cancel"  # 해지 of the service
    CONTACT = "contact"  # another number for codes and calls


PURPOSES: Final[Mapping[str, Purpose]] = {
    Kind.DEVICE: Purpose.DEVICE_ADD,
    Kind.PASSKEY: Purpose.DEVICE_ADD,
    Kind.REMOVE_DEVICE: Purpose.DEVICE_REMOVE,
    Kind.REMOVE_PASSKEY: Purpose.DEVICE_REMOVE,
    Kind.CANCEL: Purpose.DEVICE_REMOVE,
    Kind.CONTACT: Purpose.CONTACT_CHANGE,
}
"""What the additional authentication of each task is for (E1)."""

PROTECTION: Final[Machine[State, Event]] = flow.machine("protection", flow.SIGNED)
