"""What the pictures of a day are made of: tallies of audit lines, and what the processes saw of outside parties."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ingam.console.pictures.charts import HOURS, Chart, Row, by_hour, longest_first
from ingam.customer.binding.silence import Silence, silences
from ingam.kernel.instants import KST
from ingam.ports.clock import Clock
from ingam.ports.store import Store, Tally

COUNTED: Final[Mapping[str, Sequence[str]]] = {
    "registered": ("registration.certificate",),
    "finance": ("finance.register",),
    "issued": ("issuance.issued",),
    "reissued": ("issuance.reissued",),
    "renewed": ("renewal.renewed",),
    "revoked": ("management.revocation", "revocation.on-behalf"),
}
"""What is counted by hour, each by the actions of its lines. A revocation: by the person, or by two officers."""

BARS: Final = (("registered", "finance"), ("issued", "reissued", "renewed"), ("revoked",))
"""Of an hour, left to right: what came to be known here, what the authority made, what ended."""

COPIED: Final = "copying.reported"
LOGIN: Final = "login."
FAMILIES: Final = frozenset(
    {
        "login",
        "registration",
        "issuance",
        "copying",
        "protection",
        "device",
        "contact",
        "factor",
        "passkey",
        "oidc",
        "finance",
        "renewal",
        "management",
        "payment",
        "loan",
    }
)
"""What customers do; the rest is operators' and processes'."""

FINE: Final = frozenset({"ok", "done"})
PARTIES: Final = (
    "sms", "ars", "email", "certification", "status", "real-name", "phone-identity", "id-card", "bank", "address",
    "payment", "finance-cert",
)  # fmt: skip
OLD: Final = timedelta(hours=1)
"""What was seen longer ago says nothing of now."""


@dataclass(frozen=True, slots=True)
class Party:
    """How an outside party fares. `state`: well, failing, or unknown: nobody has asked it lately."""

    name: str
    state: str
    well_at: datetime | None
    failed_at: datetime | None
    cause: str


@dataclass(frozen=True, slots=True)
class Pictures:
    """A day. `hours`: the names of COUNTED with their counts by hour; `bars`: what is drawn of them.

    `totals`: pairs of a word and a number; `silent`: authorities that the night does not reach now.
    """

    day: datetime
    hours: Mapping[str, Sequence[int]]
    bars: Sequence[Sequence[int]]
    chart: Chart
    failures: Sequence[Row]
    totals: Sequence[tuple[str, int]]
    parties: Sequence[Party]
    silent: Sequence[Silence]
    waiting: int


class PicturesOfTheDay:
    """Reads them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def of(self, back: int = 0) -> Pictures:
        """The Korean day that lies `back` days before today."""
        now = self._clock.now()
        midnight = now.astimezone(KST).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=back)
        since = midnight.astimezone(UTC)
        every = await self._store.tally(since, since + timedelta(days=1))
        found = [one for one in every if one.action.partition(".")[0] in FAMILIES]
        hours = {name: _hourly(every, *actions) for name, actions in COUNTED.items()}
        bars = [[sum(hours[name][hour] for name in names) for hour in range(HOURS)] for names in BARS]
        totals = [
            *((name, sum(counts)) for name, counts in hours.items()),
            ("copied", sum(_hourly(found, COPIED))),
            ("logins", sum(one.count for one in found if one.action.startswith(LOGIN) and one.result in FINE)),
            ("failures", sum(one.count for one in found if one.result not in FINE)),
        ]
        failures: Counter[str] = Counter()
        for one in found:
            if one.result not in FINE:
                failures[one.result] += one.count
        waiting = await self._store.many("outbox", {"delivered_at": None}, order="due_at", limit=1000)
        return Pictures(
            day=since,
            hours=hours,
            bars=bars,
            chart=by_hour(bars),
            failures=longest_first(failures),
            totals=totals,
            parties=await self._parties(now),
            silent=await silences(self._store),
            waiting=len([row for row in waiting if isinstance(due := row["due_at"], datetime) and due <= now]),
        )

    async def _parties(self, now: datetime) -> list[Party]:
        """The worst that any process saw lately."""
        rows = await self._store.many("party_health", {}, limit=1000)
        known: dict[str, Party] = {}
        for row in rows:
            well, failed, told = row["well_at"], row["failed_at"], row["told_at"]
            assert well is None or isinstance(well, datetime)
            assert failed is None or isinstance(failed, datetime)
            lately = isinstance(told, datetime) and now - told < OLD
            state = str(row["state"]) if lately else "unknown"
            one = Party(str(row["party"]), state, well, failed, str(row["cause"] or ""))
            before = known.get(one.name)
            if before is None or _worse(one, before):
                known[one.name] = one
        return [known.get(name, Party(name, "unknown", None, None, "")) for name in PARTIES]


_ORDER: Final = ("unknown", "well", "failing")


def _worse(one: Party, other: Party) -> bool:
    return _ORDER.index(one.state) > _ORDER.index(other.state)


def _hourly(found: Sequence[Tally], *actions: str) -> list[int]:
    """How often they went well, by the hour of the Korean day."""
    hours = [0] * HOURS
    for one in found:
        if one.action in actions and one.result in FINE:
            hours[one.hour.astimezone(KST).hour] += one.count
    return hours
