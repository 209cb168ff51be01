"""`ingam copy` as a third device: either side of a copy with a browser on the other one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.journeys.copying.command import Command
from tests.journeys.copying.walk import CopyWalk
from tests.journeys.world import World

# On one worker: what is copied is registered once.
pytestmark = pytest.mark.xdist_group("copying")

Open = Callable[..., CopyWalk]
Run = Callable[..., Command]


@pytest.fixture
def run(registered: World, tmp_path: Path) -> Iterator[Run]:
    """Starts the command for 홍길동, whose banking password it is told first."""
    started: list[Command] = []
    who = next(one for one in registered.demo["people"] if one["key"] == "hong")

    def start(*words: str) -> Command:
        made = Command(registered, tmp_path / "state", *words, who=who["banking_id"])
        started.append(made)
        made.answer(who["password"])
        return made

    yield start
    for one in started:
        one.stop()


def test_C11_a_browser_sends_to_the_command_and_the_files_are_the_same_bytes(
    device: Open, run: Run, tmp_path: Path
) -> None:
    pc, place = device("pc"), tmp_path / "received"
    place.mkdir()
    receiving = run("receive", "--to", str(place))
    number = receiving.hears(r"sending device:  ([\d ]{14})")[1].replace(" ", "")
    pc.send("pc", known=False)
    pc.type(number)
    first, second = receiving.hears(r"same words, agree on the sending device:  (\w+) · (\w+)").groups()
    assert {first, second} <= set(pc.words.split())
    pc.press("copy-agree")
    pc.done()
    assert receiving.ends() == 0
    came = {path.name: path.read_bytes() for path in place.rglob("sign*")}
    assert came == {path.name: path.read_bytes() for path in pc.files("securities")}


def test_the_command_sends_to_a_phone_which_logs_in_with_it(device: Open, run: Run) -> None:
    phone = device("phone")
    phone.receive()
    sending = run("send", str(phone.files("securities")[0].parent))
    sending.hears(r"in your own hands now\?")
    before = len(phone.inbox())
    sending.answer("yes")
    sending.hears("The 6 digits of the SMS:")
    sending.answer(phone.newest_code(before))
    sending.answer(phone.world.demo["certificate_password"])
    sending.hears("Type the 12 digits")
    sending.answer(phone.number)
    first, second = sending.hears(r"show the same words\?  (\w+) · (\w+)").groups()
    assert {first, second} <= set(phone.words.split())
    sending.answer("yes")
    phone.done()
    assert sending.ends() == 0
    phone.log_in_with_what_came()


def test_C3_a_no_at_the_command_logs_the_receiving_device_out(device: Open, run: Run) -> None:
    phone = device("phone")
    phone.receive()
    sending = run("send", str(phone.files("securities")[0].parent))
    sending.hears(r"in your own hands now\?")
    sending.answer("no")
    assert sending.ends() == 7
    phone.open("/copying/receive")
    expect(phone.page).to_have_url(re.compile("/login"))
