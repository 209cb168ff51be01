"""Tickets: one text a ticket, the center's signature, this relay, three minutes (C12)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ingam.protocols.mailbox import ticket
from ingam.protocols.mailbox.ticket import Ticket, TicketInvalid, TicketOver

ROOT = Path(__file__).parents[3]
VECTORS: dict[str, Any] = json.loads((ROOT / "vectors/copying/run.json").read_text(encoding="utf-8"))["tickets"]
PUBLIC = bytes.fromhex(VECTORS["public_key"])
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RELAY = "https://relay.ingam.example"
AT = 1_795_000_000
OPENING = Ticket("ab" * 16, RELAY, "open", "receiver", None, None, "cd" * 32, AT, AT + 180, 180)
JOINING = replace(OPENING, id="ef" * 16, act="join", role="sender", mailbox="01234", peer="ab" * 16)


@pytest.mark.parametrize("case", VECTORS["good"], ids=["open", "join"])
def test_C12_a_ticket_says_what_the_center_signed(case: dict[str, Any]) -> None:
    says = dict(case["says"])
    assert says.pop("v") == 1
    assert ticket.read(case["text"], [bytes(32), PUBLIC]) == Ticket(**says)
    assert ticket.unverified(case["text"]) == Ticket(**says)


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["name"])
def test_C12_a_near_ticket_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(TicketInvalid):
        ticket.read(case["text"], [PUBLIC])


@pytest.mark.parametrize("one", [OPENING, JOINING], ids=["open", "join"])
def test_what_is_written_is_read(one: Ticket) -> None:
    text = ticket.write(one, KEY.sign)
    assert ticket.read(text, [KEY.public_key().public_bytes_raw()]) == one
    assert len(text) < ticket.MOST


def test_C12_a_key_that_is_not_configured_opens_nothing() -> None:
    text = ticket.write(OPENING, KEY.sign)
    for keys in ([], [PUBLIC]):
        with pytest.raises(TicketInvalid):
            ticket.read(text, keys)


def test_C12_another_relay_and_another_time_refuse_it() -> None:
    OPENING.check(RELAY, AT)
    OPENING.check(RELAY, AT + 179, since=AT)
    for relay, now, since in (
        ("https://relay.ingam.example:8443", AT, None),
        (RELAY, AT - 31, None),
        (RELAY, AT, AT + 1),
    ):
        with pytest.raises(TicketInvalid):
            OPENING.check(relay, now, since)
    with pytest.raises(TicketOver):
        OPENING.check(RELAY, AT + 180)


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "AB" * 16}, {"relay": RELAY + "/"}, {"mailbox": "01234"}, {"peer": "ab" * 16}, {"who": "kim"},
        {"exp": AT + 181}, {"exp": AT}, {"ttl": 0}, {"ttl": 181}, {"role": "both"}, {"act": "join"}, {"iat": -1},
    ],
    ids=str,
)  # fmt: skip
def test_C12_the_center_cannot_write_what_the_relay_would_refuse(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no ticket"):
        ticket.write(replace(OPENING, **changed), KEY.sign)


@given(st.binary(max_size=200), st.booleans())
def test_whatever_is_signed_is_a_ticket_or_refused(payload: bytes, json_like: bool) -> None:
    text = json.dumps({"v": 1, "more": payload.hex()}).encode() if json_like else payload
    signed = f"{ticket._text(text)}.{ticket._text(KEY.sign(ticket.LABEL + text))}"
    with pytest.raises(TicketInvalid):
        ticket.read(signed, [KEY.public_key().public_bytes_raw()])


@given(st.text(max_size=80))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(TicketInvalid):
        ticket.read(text, [PUBLIC])


@given(st.integers(0, 406), st.characters(codec="ascii"))
def test_C12_one_altered_character_refuses_it(place: int, other: str) -> None:
    text = ticket.write(OPENING, KEY.sign)
    altered = text[:place] + other + text[place + 1 :]
    if altered == text:
        return
    with pytest.raises(TicketInvalid):
        ticket.read(altered, [KEY.public_key().public_bytes_raw()])
