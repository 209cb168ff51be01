"""Key ceremonies: how an authority comes to be, and how its generations follow each other (`ingam ca init`)."""

from ingam.ca.ceremony.folder import found, found_root, renew_responder, roll_over, root_roll_over
from ingam.ca.ceremony.holdings import Holdings, HoldingsMissing, Service, read_certificates
from ingam.ca.ceremony.performing import Ceremony
from ingam.ca.ceremony.plan import (
    Above,
    CeremonyExists,
    CeremonyRefused,
    CeremonyUnderWay,
    KeyOtherKind,
    Keys,
    KeysLeftOver,
    Participant,
    Places,
    Plan,
)
from ingam.ca.ceremony.record import Made, Record

__all__ = [
    "Above",
    "Ceremony",
    "CeremonyExists",
    "CeremonyRefused",
    "CeremonyUnderWay",
    "Holdings",
    "HoldingsMissing",
    "KeyOtherKind",
    "Keys",
    "KeysLeftOver",
    "Made",
    "Participant",
    "Places",
    "Plan",
    "Record",
    "Service",
    "found",
    "found_root",
    "read_certificates",
    "renew_responder",
    "roll_over",
    "root_roll_over",
]
