"""The relay's store: numbers, mailboxes with their sealed messages, used tickets, and who asked how often.

Rules: each call is one atomic decision (security F9, C12); a store that does not answer refuses (`RelayOutage`). It
holds sealed bodies, the mailbox number and digests of resume tokens, no other digit and no hash of one. An end forgets
all of it at once; only the number rests. Instants are Unix seconds given by the caller, so that tests choose them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol, TypeAlias

from ingam.kernel.errors import Outage, Refusal
from ingam.protocols.mailbox.mailbox import Live, Seat

NUMBERS: Final = 100_000
"""Five digits."""

TAKEN_MOST: Final = NUMBERS // 2
"""Numbers that are open or rest; beyond them nothing is opened (C4), so that a draw finds a free one at once."""

REST_S: Final = 600
"""How long a number is not given again (C4)."""


class RelayOutage(Outage):
    """The relay's store did not answer; nothing was decided."""

    code = "relay-outage"


class TicketUsed(Refusal):
    """This ticket has been shown before."""

    code = "ticket-used"


class TooMany(Refusal):
    """A person's or a network's ceiling is reached. `s`: seconds until it is worth trying again."""

    code = "copy-too-many"


class SpaceFull(Refusal):
    """Half of all numbers are taken (C4)."""

    code = "copy-full"


class Showing(NamedTuple):
    """A ticket as it is used up: its id, when it was issued, and until when it could be valid."""

    ticket: str
    issued: int
    until: float


class Ceiling(NamedTuple):
    """At most `most` in any `window_s` seconds for one person (pseudonym)."""

    person: str
    act: str
    window_s: int
    most: int


class NetworkCeilings(NamedTuple):
    """Of one address: connections in a minute. High, since a whole carrier may stand behind one."""

    connections: int = 2000
    window_s: int = 60


class WrongClaims(NamedTuple):
    """Of one person (pseudonym): wrong claims in a minute, and the pause after those."""

    most: int = 10
    window_s: int = 60
    pause_s: int = 600


class Opening(NamedTuple):
    """A mailbox to be opened under the first free one of `draws` (CSPRNG, decimal, 5 digits). `token`: digest."""

    at: float
    draws: tuple[str, ...]
    state: Live
    ends: float
    token: bytes
    person: str
    showing: Showing
    ceiling: Ceiling


class Change(NamedTuple):
    """The next state of a mailbox that is at `version`; what is None stays as it is.

    `body`: one more message of `seat`. `token`: digest of the joiner's token. `takes`: this node now serves `seat`.
    """

    at: float
    mailbox: str
    version: int
    state: Live
    ends: float
    seat: Seat
    body: bytes | None = None
    token: bytes | None = None
    takes: bool = False
    showing: Showing | None = None
    ceiling: Ceiling | None = None


class Kept(NamedTuple):
    """A mailbox as the store has it. `bodies`: sealed messages of the opener, and of the joiner."""

    version: int
    state: Live
    bodies: tuple[tuple[bytes, ...], tuple[bytes, ...]]


class Changed(NamedTuple):
    """News of a mailbox: the state it has now, and what brought it there (as in Change)."""

    mailbox: str
    version: int
    state: Live
    seat: Seat
    body: bytes | None
    takes: bool


class Ended(NamedTuple):
    """News of a mailbox that is no more."""

    mailbox: str
    why: str


class Missed(NamedTuple):
    """News may have been lost: what this node serves is to be looked up again."""


News: TypeAlias = Changed | Ended | Missed
Ear: TypeAlias = Callable[[News], None]


class Mailboxes(Protocol):
    """One node's hand on the store. Every method raises RelayOutage where the store does not answer."""

    shared: bool
    """Whether other nodes see the same mailboxes."""

    async def start(self, ear: Ear, at: float) -> None:
        """Begin to remember, where nothing is remembered yet: a ticket of a second before is invalid from then on, for
        nobody knows whether it was used (security F1). And begin to listen.

        `ear` hears what other calls than this node's own did to mailboxes that it serves, and every end that `open`
        brought to an earlier mailbox of the same person.
        """

    async def close(self) -> None:
        """Give back connections."""

    async def ready(self) -> None:
        """Return where the store answers."""

    async def admit(self, network: str, at: float, ceilings: NetworkCeilings) -> None:
        """Count a connection of a network. Raises TooMany."""

    async def claim(self, person: str, at: float) -> None:
        """Return where the person may claim a mailbox. Raises TooMany during a pause."""

    async def wrong(self, person: str, at: float, wrong: WrongClaims) -> None:
        """Count a wrong claim; the last one that is allowed begins the pause. Raises TooMany during one."""

    async def show(self, showing: Showing, at: float) -> None:
        """Use a ticket up whose claim is refused. Raises TicketUsed, and TicketInvalid for one from before the memory
        (as `open` and `change` do)."""

    async def open(self, opening: Opening) -> str:
        """The mailbox number. An earlier mailbox of the person ends with it (`cancelled`). Raises TicketUsed, TooMany
        (nothing counted, but the ticket used), SpaceFull."""

    async def find(self, mailbox: str) -> Kept | None:
        """The mailbox, unless it is gone."""

    async def seat(self, token: bytes) -> tuple[str, Seat] | None:
        """Mailbox and seat of a resume token's digest."""

    async def change(self, change: Change) -> bool:
        """Carry it out; False where the mailbox is gone or at another version (then nothing was done, but a ticket
        counts as used only with the change). Raises TicketUsed, TooMany."""

    async def end(self, mailbox: str, version: int, why: str, at: float) -> bool:
        """Forget state, bodies, tokens; the number rests; nodes that serve it hear `why`. False as in `change`."""
