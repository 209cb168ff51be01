"""Parts of `ingam copy`: what is kept where, what is signed, and answers that are wrong at first."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest
from tests.center.registration.world import KIM, party
from tests.run.cli.copy_world import Answer, Scripted, Stage, told

from ingam.kernel.secret import Secret
from ingam.npki import key_file
from ingam.npki.folder import FolderRefused
from ingam.npki.key_file import Variant
from ingam.npki.private_key import PrivateKey
from ingam.protocols.challenge import Purpose
from ingam.protocols.mailbox.endpoint import Deliver
from ingam.protocols.mailbox.frames import Payload
from ingam.run.cli import copy, copy_send
from ingam.run.cli.copy_receive import Arrived, PayloadRefused, keep, read
from ingam.run.cli.copy_send import ChallengeRefused, Leaving, signed

ROOT = Path(__file__).parents[3]
PLAIN = (ROOT / "vectors/keys/rsa2048-02.p8").read_bytes()
SEALED = key_file.seal_key(PLAIN, b"ingam-Test#2026", Variant.PBE_SHA1_SEED)
ORIGIN = "http://localhost:8700"
BODY = "인증서복사: 받는 기기: PC"
TOLD: dict[str, Any] = {
    "purpose": "copy-out", "origin": ORIGIN, "nonce": "ab" * 32, "issued": "2026-11-22T12:00:00Z",
    "expires": "2026-11-22T12:03:00Z", "session": "cd" * 32, "body": hashlib.sha256(BODY.encode()).hexdigest(),
    "body_text": BODY,
}  # fmt: skip


def arrived(serial: int = 0x085221) -> Arrived:
    return Arrived(party(serial=serial).certificate, Secret(SEALED))


def leaving() -> Leaving:
    key: PrivateKey = key_file.open_key(SEALED, b"ingam-Test#2026")
    return Leaving(party().certificate, Secret(SEALED), key)


def test_C13_the_hash_is_of_what_lies_in_the_folder(tmp_path: Path) -> None:
    where = tmp_path / "NPKI" / "SignKorea" / "USER" / "person"
    digest = keep(where, arrived())
    pair = [(where / name).read_bytes() for name in ("signCert.der", "signPri.key")]
    assert digest == Payload(pair[0], Secret(pair[1])).digest
    assert pair == [party().certificate.der, SEALED]


def test_C14_another_certificate_of_the_same_place_is_put_aside_whole(tmp_path: Path) -> None:
    where = tmp_path / "USER" / "person"
    keep(where, arrived(1))
    keep(where, arrived(2))
    aside = [one for one in where.parent.iterdir() if one != where]
    assert len(aside) == 1
    assert aside[0].name.startswith("person (")
    assert (aside[0] / "signCert.der").read_bytes() == party(serial=1).certificate.der
    assert (where / "signCert.der").read_bytes() == party(serial=2).certificate.der


def test_half_a_pair_is_not_written_over(tmp_path: Path) -> None:
    where = tmp_path / "person"
    where.mkdir()
    (where / "signCert.der").write_bytes(party(serial=1).certificate.der)
    with pytest.raises(FolderRefused):
        keep(where, arrived(2))
    assert [one.name for one in where.iterdir()] == ["signCert.der"]


@pytest.mark.parametrize(
    ("certificate", "key"),
    [(b"no certificate", SEALED), (party().certificate.der, b"no key"), (party().certificate.der + b"x", SEALED)],
    ids=["no certificate", "no key file", "a byte more"],
)
def test_C14_what_is_no_pair_is_refused_before_anything_is_asked(certificate: bytes, key: bytes) -> None:
    with pytest.raises(PayloadRefused):
        read(Deliver(certificate, Secret(key)))


def test_F5_the_key_signs_the_copy_that_was_shown() -> None:
    made = signed(TOLD, leaving(), ORIGIN)
    assert made["nonce"] == TOLD["nonce"]
    assert made["signed"]


@pytest.mark.parametrize(
    "changed",
    [
        {"purpose": str(Purpose.LOGIN)}, {"purpose": "all"}, {"origin": "http://localhost:8701"}, {"body": None},
        {"body": "ef" * 32}, {"body_text": "another device"}, {"issued": "now"}, {"nonce": "ab"},
        {"session": "cd" * 31 + "\npurpose: login"},
    ],
    ids=str,
)  # fmt: skip
def test_A19_a_challenge_that_is_not_this_copy_is_not_signed(changed: dict[str, Any]) -> None:
    with pytest.raises(ChallengeRefused):
        signed(TOLD | changed, leaving(), ORIGIN)


def test_C2_a_wrong_code_may_be_typed_again(sqlite_url: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        receiver = stage.receives()
        sender = stage.sends(receiver)
        right: Any = sender._answers["ask_code"]

        async def wrong() -> str:
            return "000000" if await right() != "000000" else "000001"

        async def now() -> str:
            return str(stage.world.phone.code)

        sender._answers["ask_code"] = [wrong, "12", now]
        assert await stage.both(receiver, sender) == (0, 0), sender.text
        assert sender.asked.count("ask_code") == 3

    told(sqlite_url, tmp_path, story)


def test_M_COPY_10_only_the_registered_certificate_leaves(sqlite_url: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        pair = stage.sender.lay()
        (pair / "signCert.der").write_bytes(party(serial=7).certificate.der)
        receiver = stage.receives()
        receiving = asyncio.create_task(stage.receiver.run(receiver, "receive", "--to", str(stage.receiver.npki)))
        await receiver.sees("번호를 보내는 기기에")
        sender = stage.sends(receiver)
        assert await stage.sender.run(sender, "send", str(pair)) == copy.NOT_COPIED
        assert "[copy-not-registered]" in sender.text
        assert "ask_number" not in sender.asked
        assert stage.stored() == []
        receiving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await receiving

    told(sqlite_url, tmp_path, story)


def test_a_folder_of_another_certificate_that_is_no_npki_place_is_left_alone(sqlite_url: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        keep(stage.receiver.folder / "mine", arrived(9))
        receiver = stage.receives()
        sender = stage.sends(receiver)
        stage.receiver.to = stage.receiver.folder / "mine"
        assert await stage.both(receiver, sender) == (copy.NOT_COPIED, copy.NOT_COPIED)
        assert "folder-occupied" in receiver.text
        assert (stage.receiver.to / "signCert.der").read_bytes() == party(serial=9).certificate.der

    told(sqlite_url, tmp_path, story)


def test_C1_another_person_sees_no_receiver(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setattr(copy_send, "PATIENCE_S", 0.2)
    monkeypatch.setattr(copy_send, "LOOK_S", 0.05)

    async def story(stage: Stage) -> None:

        receiver = stage.receives()
        receiving = asyncio.create_task(stage.receiver.run(receiver, "receive", "--to", str(stage.receiver.npki)))
        await receiver.sees("번호를 보내는 기기에")
        stage.sender.who = KIM
        sender = stage.sends(receiver)
        assert await stage.sender.run(sender, "send", str(stage.sender.lay())) == copy.NOT_COPIED
        assert "ask_in_hand" not in sender.asked
        receiving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await receiving

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(
    ("answers", "agreed", "asked"),
    [
        (["예"], True, 1),
        (["아니요", "예"], False, 1),
        (["what", "ㅁ", "yes"], True, 3),
        (["what", "ㅁ", "?", "yes"], False, 3),
        (["", "yes"], False, 1),
    ],
)
def test_an_answer_that_is_neither_yes_nor_no_is_asked_again_twice(
    answers: list[Answer], agreed: bool, asked: int
) -> None:
    terminal = Scripted({"ask_words": list(answers)})
    assert asyncio.run(terminal.agrees("ask_words", words="")) is agreed
    assert len(terminal.asked) == asked
