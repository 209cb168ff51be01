"""The keys of persons at the center: designated devices, passkeys, and what they sign, over one set of ports."""

from __future__ import annotations

from dataclasses import dataclass

from ingam.customer.binding.bindings import Bindings
from ingam.customer.binding.challenges import Challenges
from ingam.customer.binding.proof import Prover
from ingam.customer.device.acts import ActProofs
from ingam.customer.device.designated import Designated
from ingam.customer.device.passkeys import Passkeys
from ingam.protocols.webauthn import RelyingParty
from ingam.settings import Settings
from ingam.wiring import CenterPorts


@dataclass(frozen=True, slots=True)
class DeviceKeys:
    """What login, additional authentication and 전자금융사기 예방서비스 share."""

    designated: Designated
    passkeys: Passkeys
    acts: ActProofs


def device_keys(
    settings: Settings, given: CenterPorts, challenges: Challenges, bindings: Bindings, prover: Prover
) -> DeviceKeys:
    """Keys are for the center's own host and origin alone."""
    host = settings.center_origin.partition("://")[2].partition(":")[0]
    rp = RelyingParty(host, settings.institution.name_ko, settings.center_origin)
    store, clock, limits = given.store, given.clock, settings.limits
    designated = Designated(
        store, clock, given.digests, given.fields, challenges, rp, limits, software=settings.device_software
    )  # fmt: skip
    passkeys = Passkeys(store, clock, given.digests, given.fields, challenges, rp, limits)
    return DeviceKeys(designated, passkeys, ActProofs(challenges, designated, passkeys, bindings, prover, clock))
