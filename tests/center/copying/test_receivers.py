"""The receiver whose session is elsewhere suddenly, and the device that is known only when both ends say so."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.center.copying.world import ELSEWHERE, FINGERPRINT, HOME, IPHONE, MAILBOX, PHONE, Copy, End, told


def stolen(copy: Copy, *, agent: str = PHONE, address: str = ELSEWHERE) -> End:
    """All of the receiver's cookies and the token in somebody else's hands; without the flow's own it gets nowhere."""
    taken = End(copy.world.browser(address))
    for name, value in copy.receiver.browser.cookies.items():
        taken.browser.plant(name, value)
    taken.browser.client.headers["User-Agent"] = agent
    taken.browser.csrf = copy.receiver.browser.csrf
    return taken


ACTS = ("open", "opened", "join", "arrived", "stored")


@pytest.mark.parametrize(("agent", "address"), [(PHONE, ELSEWHERE), (IPHONE, HOME)])
@pytest.mark.parametrize("act", ACTS)
def test_C3_the_receiver_s_session_on_another_device_does_nothing_and_is_asked_about_anew(
    sqlite_url: str, tmp_path: Path, act: str, agent: str, address: str
) -> None:
    async def story(copy: Copy) -> None:
        await (copy.to_arrived() if act == "stored" else copy.to_allowed() if act == "arrived" else copy.to_proved())
        before = (await copy.sender.look())["receiver"]["id"]
        thief = stolen(copy, agent=agent, address=address)
        fields = {"ticket": "0" * 32, "mailbox": MAILBOX, "fingerprint": FINGERPRINT}
        assert await thief.refused(f"receive/{act}", **fields) == "copy-receiver-changed"
        look = await copy.sender.look()
        assert (look["step"], await copy.state()) == ("receiver", "Announced")
        assert look["receiver"]["id"] != before
        assert await copy.sender.refused("send/join", mailbox=MAILBOX) == "copy-order"
        assert await copy.sender.refused("send/confirm", receiver=before) == "copy-receiver-changed"
        assert await copy.world.results("copying.announced") == ["ok", "replaced"]

    told(sqlite_url, tmp_path, story)


def test_C3_a_receiver_that_changed_its_network_goes_on_once_the_person_said_yes_again(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_proved()
        moved = stolen(copy)
        assert await moved.refused("receive/open") == "copy-receiver-changed"
        await moved.show_number()
        copy.world.clock.forward(61)
        await copy.sender.say_yes()
        await copy.sender.type_code()
        assert await copy.sender.sign() == {}
        await copy.sender.done("send/join", mailbox=MAILBOX)

    told(sqlite_url, tmp_path, story)


def test_C12_a_receiver_that_changes_to_and_fro_is_counted(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.receiver.announce()
        assert await stolen(copy).refused("receive/open") == "copy-receiver-changed"
        assert await copy.receiver.refused("receive/open") == "copy-opens-spent"

    told(sqlite_url, tmp_path, story, copy_opens=2)


async def _known_afterwards(copy: Copy) -> bool:
    await copy.receiver.announce()
    return bool((await copy.sender.look())["receiver"]["known"])


def test_C2_the_receiver_s_word_alone_makes_no_device_known(sqlite_url: str, tmp_path: Path) -> None:
    """Who stole ID and password has the person's yes and code once, and claims an arrival that never was."""

    async def story(copy: Copy) -> None:
        await copy.to_arrived()
        await copy.receiver.done("receive/stored", fingerprint=FINGERPRINT)
        assert await copy.state() == "Copied"
        assert not await _known_afterwards(copy)

    told(sqlite_url, tmp_path, story)


def test_C2_the_sender_s_word_alone_makes_no_device_known_and_completes_nothing(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_allowed()
        assert await copy.sender.refused("send/copied", fingerprint=FINGERPRINT) == "copy-order"
        await copy.receiver.done("receive/arrived", fingerprint=FINGERPRINT)
        await copy.sender.done("send/copied", fingerprint=FINGERPRINT)
        assert await copy.state() == "Arrived"
        await copy.receiver.done("receive/leave")
        assert not await _known_afterwards(copy)

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("first", ["receiver", "sender"])
def test_C2_both_words_in_either_order_make_it_known_and_each_is_audited_once(
    store_url: str, tmp_path: Path, first: str
) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_arrived()
        words = [(copy.receiver, "receive/stored"), (copy.sender, "send/copied")]
        for end, path in words if first == "receiver" else reversed(words):
            for _ in range(2):
                await end.done(path, fingerprint=FINGERPRINT)
        assert await copy.state() == "Copied"
        assert await copy.sender.look() == await copy.sender.look() | {"step": "copied", "code": None}
        for action in ("copying.received", "copying.sent", "copying.reported"):
            assert await copy.world.results(action) == ["ok"], action
        assert await _known_afterwards(copy)
        assert await copy.sender.refused("send/copied", fingerprint=FINGERPRINT) == "copy-order"  # it is another copy

    told(store_url, tmp_path, story)


def test_C14_the_sender_s_word_of_another_certificate_counts_for_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_arrived()
        assert await copy.sender.refused("send/copied", fingerprint="ab" * 32) == "copy-other-certificate"
        await copy.receiver.done("receive/stored", fingerprint=FINGERPRINT)
        assert await copy.sender.refused("send/copied", fingerprint="ab" * 32) == "copy-other-certificate"
        assert await copy.sender.refused("send/copied", fingerprint="AB" * 32) == "bad-request"
        assert not await _known_afterwards(copy)

    told(sqlite_url, tmp_path, story)
