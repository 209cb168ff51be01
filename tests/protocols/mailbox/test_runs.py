"""The runs and scripts of vectors/copying: every byte, every key, every end; and the files are what make.py makes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from vectors.copying import make

from ingam.kernel.flow import Machine
from ingam.kernel.secret import Secret
from ingam.protocols.mailbox import endpoint, frames, receiver, sender
from ingam.protocols.mailbox.endpoint import (
    Admitted,
    Agreed,
    Asked,
    Close,
    Deliver,
    Event,
    Heard,
    Own,
    PeerCame,
    Send,
    ShowWords,
    Stored,
)
from ingam.protocols.mailbox.frames import Inner

ROOT = Path(__file__).parents[3]
VECTORS: dict[str, Any] = json.loads((ROOT / "vectors/copying/run.json").read_text(encoding="utf-8"))
MACHINES: dict[str, Machine[Any, Event]] = {"sender": sender.SENDER, "receiver": receiver.RECEIVER}
STARTS: dict[str, Any] = {"sender": sender.start, "receiver": receiver.start}


def own(case: dict[str, Any], device: dict[str, Any]) -> Own:
    return Own(
        case["relay"],
        device["device"],
        device["opened"],
        Secret(case["secret"]),
        None if device["qr"] is None else Secret(bytes.fromhex(device["qr"])),
        bytes.fromhex(device["nonce"]),
        Secret(bytes.fromhex(device["scalar"])),
        Secret(bytes.fromhex(device["lot"])),
    )


def event_of(told: list[Any]) -> Event:
    """An event of a script: hex is bytes, and a sealed frame is sealed here."""
    name, *carried = told
    if name == "Heard" and isinstance(carried[0], dict):
        frame = carried[0]
        key, inner = Secret(bytes.fromhex(frame["key"])), Inner(frame["inner"])
        return Heard(frames.seal(key, frame["direction"], frame["sequence"], inner, bytes.fromhex(frame["content"])))
    if name == "Agreed":
        return Agreed(bytes.fromhex(carried[0]), Secret(bytes.fromhex(carried[1])))
    if name in ("Heard", "Stored"):
        carried = [bytes.fromhex(carried[0])]
    event: Event = getattr(endpoint, name)(*carried)
    return event


class Walked:
    """One end of a run of the vectors."""

    def __init__(self, role: str, case: dict[str, Any]) -> None:
        self.machine = MACHINES[role]
        brings = own(case, case[role])
        self.state = STARTS[role](brings, None if brings.opened else case["mailbox"])
        self.effects: list[object] = []

    def feed(self, event: Event) -> None:
        step = self.machine.advance(self.state, event)
        self.state = step.state
        self.effects += step.effects

    @property
    def sent(self) -> list[bytes]:
        return [effect.body for effect in self.effects if isinstance(effect, Send)]


def walk(case: dict[str, Any]) -> tuple[Walked, Walked]:
    """Both ends from the numbers to the acknowledgement, each given exactly the other's bytes of the vectors."""
    one, other = Walked("sender", case), Walked("receiver", case)
    for end in (one, other):
        end.feed(Admitted(case["mailbox"]))
    (one if case["sender"]["opened"] else other).feed(PeerCame())
    said = [(message["from"], bytes.fromhex(message["body"])) for message in case["messages"]]
    one.feed(Heard(said[0][1]))
    other.feed(Heard(said[1][1]))
    one.feed(Heard(said[2][1]))
    other.feed(Heard(said[3][1]))
    one.feed(Agreed(bytes.fromhex(case["certificate"]), Secret(bytes.fromhex(case["key_file"]))))
    other.feed(Heard(said[4][1]))
    other.feed(Asked())
    one.feed(Heard(said[5][1]))
    other.feed(Stored(bytes.fromhex(case["digest"])))
    one.feed(Heard(said[6][1]))
    return one, other


each_run = pytest.mark.parametrize("case", VECTORS["runs"], ids=lambda case: case["name"])


@each_run
def test_C7_both_ends_say_exactly_the_bytes_of_the_vectors_in_this_order(case: dict[str, Any]) -> None:
    one, other = walk(case)
    for role, end in (("sender", one), ("receiver", other)):
        assert [body.hex() for body in end.sent] == [m["body"] for m in case["messages"] if m["from"] == role]
        assert type(end.state).__name__ == case["ends"][role] == "Acknowledged"
    kinds = [bytes.fromhex(message["body"])[0] for message in case["messages"]]
    assert kinds == [1, 2, 3, 4, 5, 5, 5]


@each_run
def test_C11_certificate_and_key_file_are_delivered_unchanged(case: dict[str, Any]) -> None:
    _, other = walk(case)
    delivered = next(effect for effect in other.effects if isinstance(effect, Deliver))
    assert delivered.certificate.hex() == case["certificate"]
    assert delivered.key_file.reveal().hex() == case["key_file"]


@each_run
def test_C10_both_ends_show_the_same_words_and_each_the_others_device(case: dict[str, Any]) -> None:
    one, other = walk(case)
    shown = [next(e for e in end.effects if isinstance(e, ShowWords)) for end in (one, other)]
    assert [[e.first, e.second] for e in shown] == [case["words"]] * 2
    assert [e.device for e in shown] == [case["receiver"]["device"], case["sender"]["device"]]


@each_run
def test_C13_the_sender_says_done_and_only_after_the_hash_of_what_was_read_back(case: dict[str, Any]) -> None:
    one, other = walk(case)
    assert one.effects[-1] == Close("done")
    assert not [effect for effect in other.effects if isinstance(effect, Close)]


@each_run
def test_no_state_after_the_share_holds_the_number(case: dict[str, Any]) -> None:
    """What is left of a run cannot be asked for its digits (C8)."""
    fields: set[str] = set()
    for module in (sender, receiver):
        for state in (module.KeyAlleged, module.KeyConfirmed):
            fields |= set(state.__slots__)
    assert not fields & {"own", "secret", "qr"}
    assert walk(case)[0].state.code == "copy-done"


@pytest.mark.parametrize("script", VECTORS["scripts"], ids=lambda script: f"{script['role']}: {script['name']}")
def test_C8_a_run_that_is_not_as_it_should_be_ends_as_the_script_says(script: dict[str, Any]) -> None:
    machine = MACHINES[script["role"]]
    brings = own(script, script["own"])
    state = STARTS[script["role"]](brings, None if brings.opened else script["mailbox"])
    effects: list[object] = []
    for told in script["events"]:
        step = machine.advance(state, event_of(told))
        state, effects = step.state, [*effects, *step.effects]
    assert (type(state).__name__, state.code) == (script["end"], script["code"])
    assert type(state) in machine.ends()


def test_the_files_are_what_make_makes() -> None:
    assert make.made() == VECTORS
    tables = json.loads((ROOT / "vectors/copying/table.json").read_text(encoding="utf-8"))
    assert make.tables() == tables
