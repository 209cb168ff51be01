"""What security officers, administrators and auditors have in the console; and unmasking, which they watch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ingam.center.terms.registry import Registry
from ingam.console.audit.service import AuditLooks
from ingam.console.audit.web import AuditWeb
from ingam.console.changes.kinds import ChangeKind
from ingam.console.changes.service import Changes
from ingam.console.changes.web import ChangesWeb
from ingam.console.exports.kinds import ExportKind
from ingam.console.exports.web import ExportsWeb
from ingam.console.fields.service import Unmasking
from ingam.console.fields.web import FieldsWeb
from ingam.console.operators.kinds import EndOfOperator, NewKey, NewOperator, OtherRoles
from ingam.console.operators.register import Operators
from ingam.console.operators.web import OperatorsWeb
from ingam.console.policy.kinds import LimitsKind, TermsKind, Version, WithdrawalKind, accepted_policies
from ingam.console.policy.web import PolicyWeb
from ingam.console.standing.opening import Openings
from ingam.console.trail import Trail
from ingam.console.web import ConsoleWeb
from ingam.customer.policy import ANCHORS, OIDS
from ingam.protocols.webauthn import RelyingParty
from ingam.settings import Settings
from ingam.wiring.console import ConsolePorts

TEMPLATES: Final = (
    "ingam.console.audit",
    "ingam.console.changes",
    "ingam.console.exports",
    "ingam.console.fields",
    "ingam.console.operators",
    "ingam.console.policy",
)
"""Every package of these with a `templates/` folder."""


@dataclass(frozen=True, slots=True)
class Office:
    """The features of officers, and the changes that other features bring kinds to."""

    changes: Changes
    features: Sequence[ConsoleWeb]


def office(
    settings: Settings, ports: ConsolePorts, operators: Operators, trail: Trail, rp: RelyingParty,
    more: Iterable[ChangeKind] = (),
) -> Office:  # fmt: skip
    """`more`: kinds of change that other features bring."""
    console = settings.console
    limits = LimitsKind(ports.store, settings.limits)
    oids = WithdrawalKind(ports.store, OIDS, accepted_policies())
    trusted = {one.hex(): found.name for one, found in ports.authorities.by_fingerprint.items()}
    anchors = WithdrawalKind(ports.store, ANCHORS, trusted)
    asked = [kind(operators, f"{console.origin}/enrol", console.invitation_s) for kind in _OPERATOR_KINDS]
    terms = TermsKind(ports.store, _later_terms(settings))
    kinds: list[ChangeKind] = [limits, oids, anchors, terms, ExportKind(), *asked, *more]
    changes = Changes(ports.store, ports.clock, operators, trail, rp, kinds, console.approval_s)
    unmasking = Unmasking(ports.store, ports.clock, trail, console.unmaskings_a_day)
    return Office(
        changes,
        [
            ChangesWeb(trail, changes),
            PolicyWeb(trail, changes, limits, oids, anchors, terms),
            OperatorsWeb(trail, operators, changes, ports.blind_index),
            AuditWeb(trail, AuditLooks(ports.store, ports.clock, trail, ports.digests)),
            ExportsWeb(trail, ports.store, ports.clock, changes),
            FieldsWeb(trail, ports.customers, Openings(ports.store, ports.clock), unmasking),
        ],
    )


def _later_terms(settings: Settings) -> list[Version]:
    """Every version of a document that takes effect by approval."""
    later = Registry.read(settings.terms, production=settings.production).later
    return [Version(one.code, one.version, one.title("ko"), one.sha256("ko")) for one in later]


_OPERATOR_KINDS: Final = (NewOperator, OtherRoles, EndOfOperator, NewKey)
