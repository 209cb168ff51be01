"""How a run of `ingam copy` ends where not everybody has heard of it: neither side says more than it knows (C13)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.center.registration.world import party
from tests.run.cli.copy_world import Scripted, Stage, told

from ingam.kernel.errors import Failure
from ingam.kernel.secret import Secret
from ingam.kernel.words import say
from ingam.protocols.mailbox import wire
from ingam.protocols.mailbox.frames import MOST_KEY_FILE
from ingam.run.cli import copy, copy_center, copy_receive
from ingam.run.cli.copy_center import Center, CenterRefused, CenterUnreachable

UNSURE = say("copy.sent_unsure", "ko")


class Writing:
    """The receiver's writing, which waits until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()
        real = copy_receive.keep

        def keep(*words: Any) -> bytes:
            digest = real(*words)
            self.begun.set()
            assert self.may_end.wait(20)
            return digest

        monkeypatch.setattr(copy_receive, "keep", keep)

    async def written(self) -> None:
        """Until the pair lies in the folder and the receiver's machine does not know it."""
        await asyncio.to_thread(self.begun.wait, 20)


async def says_closed(stage: Stage, why: str) -> None:
    """The receiving device's end of the relay says so; the relay tells both."""
    await stage.receiver.sockets[-1].send(wire.write(wire.Close(why)))


def only_unsure(sender: Scripted) -> bool:
    """The last thing that it says, and nothing that would contradict it."""
    after = sender.said[sender.said.index(say("copy.sending", "ko")) + 1 :]
    return after == [UNSURE]


@pytest.mark.parametrize("why", ["declined", "cancelled", "expired", "broken"])
def test_C13_the_relays_word_for_the_end_leaves_the_sender_unsure_and_the_receiver_stored(
    why: str, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = Writing(monkeypatch)

    async def story(stage: Stage) -> None:
        receiver = stage.receives()
        sender = stage.sends(receiver)
        both = asyncio.create_task(stage.both(receiver, sender))
        await writing.written()
        await says_closed(stage, why)
        await sender.sees(UNSURE)
        writing.may_end.set()
        assert await both == (0, copy.NOT_COPIED), receiver.text + sender.text
        assert only_unsure(sender), sender.text
        (where,) = stage.stored()
        assert say("copy.received", "ko", place=str(where)) in receiver.said
        assert "저장한 것은 없" not in receiver.text
        assert await stage.world.results("copying.received") == ["ok"]

    told(sqlite_url, tmp_path, story)


def test_C13_an_interrupted_sender_is_unsure_once_it_has_left(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = Writing(monkeypatch)

    async def story(stage: Stage) -> None:
        receiver = stage.receives()
        sender = stage.sends(receiver)
        receiving = asyncio.create_task(stage.receiver.run(receiver, "receive", "--to", str(stage.receiver.to)))
        sending = asyncio.create_task(stage.sender.run(sender, "send", str(stage.sender.lay())))
        await writing.written()
        sending.cancel()
        assert await sending == copy.NOT_COPIED
        assert only_unsure(sender), sender.text
        writing.may_end.set()
        assert await receiving == 0
        assert len(stage.stored()) == 1

    told(sqlite_url, tmp_path, story)


def test_C13_an_interrupted_receiver_that_has_begun_to_write_ends_as_stored_on_both_sides(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = Writing(monkeypatch)

    async def story(stage: Stage) -> None:
        receiver = stage.receives()
        sender = stage.sends(receiver)
        receiving = asyncio.create_task(stage.receiver.run(receiver, "receive", "--to", str(stage.receiver.to)))
        sending = asyncio.create_task(stage.sender.run(sender, "send", str(stage.sender.lay())))
        await writing.written()
        receiving.cancel()
        await asyncio.sleep(0)
        writing.may_end.set()
        assert (await receiving, await sending) == (0, 0), receiver.text + sender.text
        assert await stage.world.results("copying.received") == ["ok"]

    told(sqlite_url, tmp_path, story)


def test_C13_a_link_that_is_lost_after_writing_is_stored_here_and_told_to_the_center(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = Writing(monkeypatch)
    monkeypatch.setattr("ingam.run.cli.copy_link.AWAY_S", 0.0)

    async def story(stage: Stage) -> None:
        receiver = stage.receives()
        sender = stage.sends(receiver)
        both = asyncio.create_task(stage.both(receiver, sender))
        await writing.written()
        for machine in (stage.receiver, stage.sender):
            machine.sockets[-1].transport.abort()
        await sender.sees(UNSURE)
        writing.may_end.set()
        assert await both == (0, copy.NOT_COPIED), receiver.text + sender.text
        assert sender.said[-1] == UNSURE
        assert say("copy.received_unheard", "ko") in receiver.said
        assert await stage.world.results("copying.received") == ["ok"]

    told(sqlite_url, tmp_path, story)


def test_C13_what_the_store_gave_back_otherwise_is_not_said_to_be_stored(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy_receive, "keep", lambda *_: bytes(32))

    async def story(stage: Stage) -> None:
        receiver = stage.receives()
        sender = stage.sends(receiver)
        assert await stage.both(receiver, sender) == (copy.NOT_COPIED, copy.NOT_COPIED)
        assert "[cannot-keep]" in sender.text
        assert UNSURE not in sender.said
        assert await stage.world.results("copying.received") == []

    told(sqlite_url, tmp_path, story)


def test_C13_a_no_of_the_receivers_person_is_told_to_the_sender_as_the_receivers_reason(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(stage: Stage) -> None:
        copy_receive.keep(stage.receiver.npki / "x", copy_receive.Arrived(party().certificate, sealed(stage)))
        stage.receiver.to = stage.receiver.npki / "x"
        receiver = stage.receives(ask_replace="아니요")
        sender = stage.sends(receiver)
        assert await stage.both(receiver, sender) == (copy.NOT_COPIED, copy.NOT_COPIED)
        assert sender.said[-2] == say("copy.declined_there", "ko")
        assert "[replace-declined]" in sender.said[-1]
        assert UNSURE not in sender.said

    told(sqlite_url, tmp_path, story)


def sealed(stage: Stage) -> Secret[bytes]:
    return Secret((stage.sender.lay() / "signPri.key").read_bytes())


def failing(monkeypatch: pytest.MonkeyPatch, route: str, failure: Callable[[], Failure]) -> list[str]:
    """The center answers this post with a failure; the fingerprints that it was posted with."""
    real, posted = Center.post, []

    async def post(self: Center, path: str, **fields: str) -> dict[str, Any]:
        if path != route:
            return await real(self, path, **fields)
        posted.append(fields.get("fingerprint", ""))
        raise failure()

    monkeypatch.setattr(Center, "post", post)
    return posted


@pytest.mark.parametrize(
    ("failure", "tries"),
    [(CenterUnreachable, 2), (lambda: CenterRefused("copy-over", "끝난 복사입니다."), 1)],
    ids=["away", "refused"],
)
def test_a_sender_whose_word_the_center_does_not_hear_has_copied_all_the_same(
    failure: Callable[[], Failure], tries: int, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy_center, "TELL_TRIES", 2)
    posted = failing(monkeypatch, "send/copied", failure)

    async def story(stage: Stage) -> None:
        receiver = stage.receives()
        sender = stage.sends(receiver)
        assert await stage.both(receiver, sender) == (0, 0), receiver.text + sender.text
        assert posted == [party().certificate.fingerprint.hex()] * tries
        assert sender.said[-2:] == [say("copy.sent", "ko"), say("copy.sent_untold", "ko")]

    told(sqlite_url, tmp_path, story)


def test_a_receiver_whose_word_the_center_refuses_has_stored_all_the_same(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted = failing(monkeypatch, "receive/stored", lambda: CenterRefused("copy-over", "끝난 복사입니다."))

    async def story(stage: Stage) -> None:
        receiver = stage.receives()
        assert (await stage.both(receiver, stage.sends(receiver)))[0] == 0, receiver.text
        assert len(posted) == 1
        assert say("copy.received", "ko", place=str(stage.stored()[0])) in receiver.said
        assert receiver.said[-1] == say("copy.stored_untold", "ko")

    told(sqlite_url, tmp_path, story)


def test_a_pair_that_no_copy_can_carry_is_refused_before_anything_is_asked(sqlite_url: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        pair = stage.sender.lay()
        (pair / "signPri.key").write_bytes(bytes(MOST_KEY_FILE + 1))
        sender = stage.sends(stage.receives())
        assert await stage.sender.run(sender, "send", str(pair)) == copy.NOT_COPIED
        assert sender.said == ["[copy-too-large]"]

    told(sqlite_url, tmp_path, story)


def test_C3_after_a_no_the_receiver_who_wants_a_new_number_reads_why_there_is_none(
    sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story(stage: Stage) -> None:
        receiver = stage.receives(ask_new_number="예")
        sender = stage.sends(receiver, ask_in_hand="아니요")
        receiving = asyncio.create_task(stage.receiver.run(receiver, "receive", "--to", str(stage.receiver.npki)))
        await receiver.sees("번호를 보내는 기기에")
        assert await stage.sender.run(sender, "send", str(stage.sender.lay())) == copy.NOT_COPIED
        await says_closed(stage, "expired")
        assert await receiving == copy.NOT_COPIED
        assert receiver.said[-1] == "[copy-receiver-out]"
        assert "아니요" in capsys.readouterr().err

    told(sqlite_url, tmp_path, story)


def test_a_copy_that_is_over_at_the_center_is_told_as_what_a_command_can_do(
    sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story(stage: Stage) -> None:
        receiver = stage.receives(ask_new_number="예")
        receiving = asyncio.create_task(stage.receiver.run(receiver, "receive", "--to", str(stage.receiver.npki)))
        await receiver.sees("번호를 보내는 기기에")
        stage.world.clock.forward(601)
        await says_closed(stage, "expired")
        assert await receiving == copy.NOT_COPIED
        assert "명령" in capsys.readouterr().err, receiver.text

    told(sqlite_url, tmp_path, story)
