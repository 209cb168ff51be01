"""Keypad sessions: given to one form of one session, good for one POST of it, opened at one place (security E12, F1).

A keypad session is a row of the ledger under its browser session's own kind; another session's is simply unknown. It
holds no layout: that is drawn from the key in memory, so a stolen database says nothing of what lay where.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from ingam.center.seal_key import DailyKeys
from ingam.kernel.errors import Refusal
from ingam.ports.clock import Clock
from ingam.ports.ephemeral import Ceiling, Ephemeral
from ingam.ports.store import AlreadyUsed, Issue, NotIssued, Save, Store, Use
from ingam.protocols.keypad import BLOB, KeypadKey, KeypadUnreadable, Kind, Layout, Where, layout

FIELDS: Final[Mapping[str, Mapping[str, Kind]]] = MappingProxyType(
    {
        "login": {"password": Kind.TEXT},
        "registration": {"password": Kind.TEXT, "idn": Kind.DIGITS},
        "factor": {
            "number_back": Kind.DIGITS,
            "phone_back": Kind.DIGITS,
            "card_first": Kind.DIGITS,
            "card_second": Kind.DIGITS,
        },
        "issuance": {"password": Kind.TEXT},
        "issuance-name": {"idn": Kind.DIGITS},
        "incident": {"idn": Kind.DIGITS},
    }
)
"""The closed list: which fields of which form are sealed, and what they take. A form names itself by `data-keypad`."""

HOUR_S: Final = 3600
ID_BYTES: Final = 16
SEALED: Final = "_sealed"
_ID: Final = re.compile(r"[0-9a-f]{32}")
_TEXT_MOST: Final = (BLOB + 2) // 3 * 4


class KeypadLimits(Protocol):
    """Seconds and counts."""

    @property
    def keypad_ttl_s(self) -> int: ...
    @property
    def keypads_an_hour(self) -> int: ...
    @property
    def address_keypads_an_hour(self) -> int: ...


class KeypadOver(Refusal):
    """Used, over, or given to another session or form. Fact `cause` for the log."""

    code = "keypad-over"


class KeypadRequired(Refusal):
    """The institution takes these fields sealed only, and this one came as it was typed."""

    code = "keypad-required"


class KeypadsCrowded(Refusal):
    """More keypads than a person needs."""

    code = "too-many-requests"


@dataclass(frozen=True, slots=True)
class Given:
    """One keypad session of a form: its id, the key to seal to, and a layout for every field."""

    keypad: str
    flow: str
    public: bytes
    ttl_s: int
    layouts: Mapping[str, Layout]


class _Row(msgspec.Struct, frozen=True):
    """What the ledger keeps."""

    flow: str
    key: str


def keypads(store: Store, ephemeral: Ephemeral, clock: Clock, limits: KeypadLimits, *, required: bool) -> Keypads:
    """Keypads with a key of their own in memory."""
    keys = DailyKeys(clock, limits.keypad_ttl_s, lambda: KeypadKey(ec.generate_private_key(ec.SECP256R1())))
    return Keypads(store, ephemeral, clock, limits, keys, required=required)


class Keypads:
    """Gives out and opens. `required`: what comes as it was typed is refused."""

    def __init__(
        self,
        store: Store,
        ephemeral: Ephemeral,
        clock: Clock,
        limits: KeypadLimits,
        keys: DailyKeys[KeypadKey],
        *,
        required: bool = False,
        token: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._store = store
        self._ephemeral = ephemeral
        self._clock = clock
        self._limits = limits
        self._keys = keys
        self._required = required
        self._token = token

    async def give(self, session: str, address: str, flow: str) -> Given:
        """A new keypad session of a form. Raises Refusal `bad-request` for an unknown form, KeypadsCrowded."""
        if flow not in FIELDS:
            raise Refusal("bad-request")
        reached = await self._ephemeral.admit(
            Ceiling("session", f"keypads:{session}", HOUR_S, self._limits.keypads_an_hour),
            Ceiling("network", f"keypads:{address}", HOUR_S, self._limits.address_keypads_an_hour),
        )
        if reached is not None:
            raise KeypadsCrowded(cause=reached.whose)
        key_pair, keypad = self._keys.current, self._token(ID_BYTES).hex()
        facts = msgspec.json.encode(_Row(flow, key_pair.key_id)).decode()
        ends = self._clock.now() + timedelta(seconds=self._limits.keypad_ttl_s)
        await self._store.save(Save(ledger=[Issue(_kind(session), keypad, ends, facts)]))
        layouts = {name: _layout(key_pair, Where(keypad, flow, name), kind) for name, kind in FIELDS[flow].items()}
        return Given(keypad, flow, key_pair.public, self._limits.keypad_ttl_s, layouts)

    async def read(self, session: str, flow: str, fields: Mapping[str, str]) -> dict[str, str]:
        """The fields of a form with what was sealed opened: the one place where that happens (E12).

        A keypad session is used up by the first POST that names it, whatever becomes of it. Where a field came both
        ways, the sealed one counts. Raises KeypadOver, KeypadUnreadable, KeypadRequired.
        """
        wanted = FIELDS[flow]
        sealed = {name: text for name in wanted if (text := fields.get(name + SEALED, ""))}
        if self._required and any(fields.get(name) and name not in sealed for name in wanted):
            raise KeypadRequired
        found = {name: text for name, text in fields.items() if not name.endswith(SEALED)}
        if not sealed:
            return found
        keypad = fields.get("keypad", "")
        key_pair = await self._claim(session, flow, keypad)
        for name, text in sealed.items():
            where = Where(keypad, flow, name)
            glyphs = _layout(key_pair, where, wanted[name]).glyphs()
            found[name] = key_pair.open(_octets(text), where, glyphs).reveal()
        return found

    async def _claim(self, session: str, flow: str, keypad: str) -> KeypadKey:
        """Used from here on; the key that its layouts were drawn from."""
        if not _ID.fullmatch(keypad):  # a form brings any text; the store is asked for what we gave out
            raise KeypadOver(cause="not-issued")
        try:
            await self._store.save(Save(ledger=[Use(_kind(session), keypad, self._clock.now())]))
        except NotIssued:
            raise KeypadOver(cause="not-issued") from None
        except AlreadyUsed:
            raise KeypadOver(cause="already-used") from None
        row = await self._store.issued(_kind(session), keypad)
        kept = None if row is None else msgspec.json.decode(row.facts, type=_Row)
        if kept is None or kept.flow != flow:
            raise KeypadOver(cause="other-form")
        key = self._keys.named(kept.key)
        if key is None:
            raise KeypadOver(cause="key-gone")
        return key


def _layout(key: KeypadKey, where: Where, kind: Kind) -> Layout:
    return layout(kind, key.stream(where))


def _kind(session: str) -> str:
    return f"keypad:{session}"


def _octets(text: str) -> bytes:
    if len(text) > _TEXT_MOST:
        raise KeypadUnreadable
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # binascii.Error, and what a text that is not ASCII raises
        raise KeypadUnreadable from None
