"""The branch's and the service's features of the console, put together over its ports."""

from __future__ import annotations

from typing import Final

from ingam.console.availability.web import AvailabilityWeb
from ingam.console.changes.service import Changes
from ingam.console.fees.service import ChargesOfFees
from ingam.console.fees.web import FeesWeb
from ingam.console.imports.service import ImportRuns
from ingam.console.imports.web import ImportsWeb
from ingam.console.numbers.web import NumbersWeb
from ingam.console.operators.register import Operators
from ingam.console.pictures.service import PicturesOfTheDay
from ingam.console.pictures.web import PicturesWeb
from ingam.console.revocation.kinds import RevocationKind
from ingam.console.revocation.web import RevocationWeb
from ingam.console.standing.entering import Entering
from ingam.console.standing.opening import Openings
from ingam.console.standing.service import Standings
from ingam.console.standing.web import StandingWeb
from ingam.console.trail import Trail
from ingam.console.web import ConsoleWeb
from ingam.customer.additional_auth.branch import BranchNumbers
from ingam.customer.availability.reading import Availability
from ingam.customer.binding.bindings import Bindings
from ingam.customer.locks import Locks
from ingam.customer.notice import Notices, Sender
from ingam.settings import Settings
from ingam.wiring.console import ConsolePorts

TEMPLATES: Final = (
    "ingam.console.availability",
    "ingam.console.fees",
    "ingam.console.imports",
    "ingam.console.numbers",
    "ingam.console.pictures",
    "ingam.console.revocation",
    "ingam.console.standing",
)


def revocation(settings: Settings, given: ConsolePorts, operators: Operators) -> RevocationKind:
    """폐지 대행, as a change that two officers sign."""
    bindings = Bindings(given.store, given.digests, given.fields)
    return RevocationKind(settings.ca.name, bindings, given.customers, operators, given.blind_index)


def features(
    settings: Settings, given: ConsolePorts, trail: Trail, operators: Operators, changes: Changes,
    revoking: RevocationKind,
) -> list[ConsoleWeb]:  # fmt: skip
    """In the order of the menu."""
    store, clock, digests, limits = given.store, given.clock, given.digests, settings.limits
    sender = Sender(settings.institution)
    locks = Locks(store, clock, digests, limits)
    numbers = BranchNumbers(store, clock, digests, limits, sender)
    bindings = Bindings(store, digests, given.fields)
    openings = Openings(store, clock)
    standings = Standings(
        store, clock, given.customers, digests, bindings, locks, numbers, limits.contact_quarantine_s
    )  # fmt: skip
    availability = Availability(store, clock)
    entering = Entering(store, clock, trail, openings, settings.console.searches_a_day)
    charges = ChargesOfFees(store, clock, limits)
    return [
        StandingWeb(
            trail, store, clock, standings, openings, locks, Notices(sender), given.blind_index,
            entering, charges, settings.console.unlocks_a_day,
        ),
        NumbersWeb(
            trail, store, clock, given.customers, given.blind_index, numbers, standings, openings, availability
        ),
        RevocationWeb(trail, store, revoking, changes, operators, standings, openings),
        FeesWeb(trail, charges, standings, entering),
        ImportsWeb(trail, ImportRuns(store, clock)),
        PicturesWeb(trail, PicturesOfTheDay(store, clock)),
        AvailabilityWeb(trail, store, clock),
    ]  # fmt: skip
