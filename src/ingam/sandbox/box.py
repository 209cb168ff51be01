"""All that the sandbox's routes need, in one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ingam.ports.clock import Clock
from ingam.sandbox.ars import Calls
from ingam.sandbox.authorities.keys import KeySource
from ingam.sandbox.bank import Deposits
from ingam.sandbox.behind import Behind
from ingam.sandbox.mail import Mails
from ingam.sandbox.payment import PaymentBook
from ingam.sandbox.phone import Phones
from ingam.sandbox.phone_identity import Identities
from ingam.sandbox.switches import Switches
from ingam.sandbox.world import World


@dataclass(frozen=True)
class Sandbox:
    """`demo`: where the demo people's files lie; `center`: the center's address; every switch begins at normal.

    `origin`: the sandbox's own; `places`: how many heads of one union the center registers.
    """

    world: World
    phones: Phones
    keys: KeySource
    clock: Clock
    demo: Path
    center: str
    behind: Behind
    switches: Switches = field(default_factory=Switches)
    identities: Identities = field(default_factory=Identities)
    deposits: Deposits = field(default_factory=Deposits)
    mails: Mails = field(default_factory=Mails)
    calls: Calls = field(default_factory=Calls)
    payments: PaymentBook = field(default_factory=PaymentBook)
    origin: str = "http://localhost:8706"
    places: int = 1
