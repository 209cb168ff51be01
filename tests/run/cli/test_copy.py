"""`ingam copy` from both ends: over the center's own routes and a real relay, from one NPKI folder into another."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

import httpx2
import pytest
from tests.center.registration.world import HONG, party
from tests.run.cli.copy_world import CERTIFICATE_PASSWORD, Stage, told

from ingam.npki import key_file
from ingam.protocols.mailbox import words
from ingam.run.cli import NOUNS, copy, main
from ingam.run.cli.copy_center import AddressRefused, DeviceCookies, agent, client, origin_of


def test_C1_C11_C13_a_certificate_goes_from_folder_to_folder_byte_for_byte(sqlite_url: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        receiver = stage.receives()
        sender = stage.sends(receiver)
        assert await stage.both(receiver, sender) == (0, 0), receiver.text + sender.text
        (where,) = stage.stored()
        assert where.parent.name == "USER"
        for name in ("signCert.der", "signPri.key"):
            assert (where / name).read_bytes() == (stage.sender.npki / "pair" / name).read_bytes()
        opened = key_file.open_key((where / "signPri.key").read_bytes(), CERTIFICATE_PASSWORD.encode())
        opened.require_match(*party().certificate.public_key)
        assert "복사 완료" in sender.text
        assert "인증서를 저장했습니다" in receiver.text
        assert await stage.world.results("copying.received") == ["ok"]
        assert await stage.world.results("copying.sent") == ["ok"]

    told(sqlite_url, tmp_path, story)


def test_C2_C3_the_sender_sees_the_receiver_and_types_a_code_for_a_new_one(sqlite_url: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        receiver = stage.receives()
        sender = stage.sends(receiver)
        assert await stage.both(receiver, sender) == (0, 0)
        assert sender.asked[:4] == ["ask_login_password", "ask_in_hand", "ask_code", "ask_certificate_password"]
        assert "device: 명령줄 · " in sender.text
        assert "network: 이 기기와 같은 네트워크" in sender.text
        assert any("인증서복사 인증번호" in text for text in stage.world.phone.texts)

    told(sqlite_url, tmp_path, story)


def test_C2_a_machine_that_received_once_is_known_by_its_kept_cookie(sqlite_url: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        receiver = stage.receives()
        assert await stage.both(receiver, stage.sends(receiver)) == (0, 0)
        kept = stage.receiver.folder / "ingam" / "devices.json"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert list(json.loads(kept.read_text())) == ["http://localhost:8700"]
        stage.world.clock.forward(120)
        again = stage.receives(ask_replace="예")
        sender = stage.sends(again)
        assert await stage.both(again, sender) == (0, 0), again.text + sender.text
        assert "ask_code" not in sender.asked

    told(sqlite_url, tmp_path, story)


def test_C10_both_terminals_show_the_same_words_in_both_languages(sqlite_url: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        receiver = stage.receives()
        sender = stage.sends(receiver)
        assert await stage.both(receiver, sender) == (0, 0)
        korean, english = words.lists()
        shown = [line.partition("  ")[2] for line in receiver.said if "같은 말" in line]
        assert shown and shown[0] in sender.text
        first, second = shown[0].partition(" (")[0].split(" · ")
        assert f"({english[korean.index(first)]} · {english[korean.index(second)]})" in shown[0]

    told(sqlite_url, tmp_path, story)


def test_C8_a_wrong_number_ends_on_both_terminals_and_a_new_one_works(sqlite_url: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        receiver = stage.receives(ask_new_number=["예"])
        sender = stage.sends(receiver)

        async def wrong() -> str:
            shown = (await receiver.sees("번호를 보내는 기기에")).rpartition(":  ")[2]
            return shown[:-1] + str((int(shown[-1]) + 1) % 10)

        async def second() -> str:
            while len([line for line in receiver.said if "번호를 보내는 기기에" in line]) < 2:
                await asyncio.sleep(0.01)
            return [line for line in receiver.said if "번호를 보내는 기기에" in line][1].rpartition(":  ")[2]

        sender._answers["ask_number"] = [wrong, second]
        assert await stage.both(receiver, sender) == (0, 0), receiver.text + sender.text
        assert "copy-wrong-number" in receiver.text
        assert "번호가 맞지 않습니다" in sender.text

    told(sqlite_url, tmp_path, story)


def test_C3_a_no_to_the_receiver_stops_both_and_no_password_is_asked_for(sqlite_url: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        receiver = stage.receives()
        sender = stage.sends(receiver, ask_in_hand="아니요")
        receiving = asyncio.create_task(stage.receiver.run(receiver, "receive", "--to", str(stage.receiver.npki)))
        await receiver.sees("번호를 보내는 기기에")
        assert await stage.sender.run(sender, "send", str(stage.sender.lay())) == copy.NOT_COPIED
        assert sender.asked == ["ask_login_password", "ask_in_hand"]
        receiving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await receiving
        assert stage.stored() == []

    told(sqlite_url, tmp_path, story)


def test_C10_other_words_send_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        receiver = stage.receives()
        sender = stage.sends(receiver, ask_words="아니요")
        assert await stage.both(receiver, sender) == (copy.NOT_COPIED, copy.NOT_COPIED)
        assert stage.stored() == []
        assert await stage.world.results("copying.received") == []

    told(sqlite_url, tmp_path, story)


def test_C14_a_certificate_that_is_there_is_replaced_only_after_a_yes(sqlite_url: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        receiver = stage.receives()
        assert await stage.both(receiver, stage.sends(receiver)) == (0, 0)
        (where,) = stage.stored()
        (where / "signPri.key").write_bytes(b"another password's key file")
        stage.world.clock.forward(120)
        refusing = stage.receives(ask_replace="아니요")
        sender = stage.sends(refusing)
        assert await stage.both(refusing, sender) == (copy.NOT_COPIED, copy.NOT_COPIED)
        assert "ask_replace" in refusing.asked
        assert (where / "signPri.key").read_bytes() == b"another password's key file"
        assert "복사 완료" not in sender.text

    told(sqlite_url, tmp_path, story)


def test_C13_a_folder_that_cannot_be_written_is_told_on_both_sides(sqlite_url: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.receiver.npki.write_bytes(b"a file where a folder should be")
        receiver = stage.receives()
        sender = stage.sends(receiver)
        assert await stage.both(receiver, sender) == (copy.NOT_COPIED, copy.NOT_COPIED)
        assert "복사 완료" not in sender.text
        assert await stage.world.results("copying.received") == []

    told(sqlite_url, tmp_path, story)


def test_C8_a_connection_that_breaks_in_the_middle_is_resumed(sqlite_url: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        receiver = stage.receives()

        async def after_a_break() -> str:
            await receiver.sees("같은 말")
            for machine in (stage.receiver, stage.sender):
                machine.sockets[-1].transport.abort()
            await receiver.sees("다시 연결했습니다")
            return "예"

        sender = stage.sends(receiver, ask_words=after_a_break)
        assert await stage.both(receiver, sender) == (0, 0), receiver.text + sender.text
        assert len(stage.receiver.sockets) == 2
        assert len(stage.stored()) == 1

    told(sqlite_url, tmp_path, story)


def test_a_wrong_certificate_password_sends_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        receiver = stage.receives()
        sender = stage.sends(receiver, ask_certificate_password="not-this-1!")
        receiving = asyncio.create_task(stage.receiver.run(receiver, "receive", "--to", str(stage.receiver.npki)))
        await receiver.sees("번호를 보내는 기기에")
        assert await stage.sender.run(sender, "send", str(stage.sender.lay())) == 3
        assert "ask_number" not in sender.asked
        receiving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await receiving

    told(sqlite_url, tmp_path, story)


def test_a_wrong_login_password_is_told_in_the_centers_words(
    sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story(stage: Stage) -> None:
        receiver = stage.receives(ask_login_password="no-such-password-9")
        assert await stage.receiver.run(receiver, "receive", "--to", str(stage.receiver.npki)) == copy.NOT_COPIED
        assert "아이디 또는 비밀번호가 맞지 않습니다" in capsys.readouterr().err

    told(sqlite_url, tmp_path, story)


def test_the_qr_code_is_drawn_where_it_is_asked_for_and_holds_no_address(sqlite_url: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        receiver = stage.receives()
        assert await stage.both(receiver, stage.sends(receiver), "--qr") == (0, 0)
        assert any("█" in line for line in receiver.said)

    told(sqlite_url, tmp_path, story)


def test_H1_nothing_that_the_center_keeps_holds_the_secret_digits_or_the_key(sqlite_url: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        receiver = stage.receives()
        assert await stage.both(receiver, stage.sends(receiver)) == (0, 0)
        shown = (await receiver.sees("번호를 보내는 기기에")).rpartition(":  ")[2].replace(" ", "")
        kept = stage.world.everything_kept()
        for worth in (shown.encode(), shown[5:].encode(), CERTIFICATE_PASSWORD.encode()):
            assert worth not in kept
        assert (stage.sender.npki / "pair" / "signPri.key").read_bytes()[-64:] not in kept

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://Bank.example/", "https://bank.example"),
        ("http://localhost:8700", "http://localhost:8700"),
        ("http://127.0.0.1:8700/", "http://127.0.0.1:8700"),
        ("http://[::1]:8700", "http://[::1]:8700"),
        ("HTTP://LocalHost", "http://localhost"),
    ],
)
def test_an_origin_is_taken_from_an_address(address: str, origin: str) -> None:
    assert origin_of(address) == origin


@pytest.mark.parametrize(
    "address",
    [
        "http://bank.example",
        "bank.example",
        "https://bank.example/login",
        "https://a:b@bank.example",
        "https://",
        "https://:443",
        "https://:b@bank.example",
        "http://localhost:x@bank.example",
        "http://localhost.bank.example",
        "http://[::1].bank.example",
        "http://[::1",
        "http://localhost:70000",
        "http://[::2]:8700",
        "file:///x",
    ],
)
def test_an_address_that_others_could_read_on_the_way_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        origin_of(address)


def test_C2_a_kept_cookie_goes_to_a_center_on_ipv6_of_this_machine(tmp_path: Path) -> None:
    kept = DeviceCookies(tmp_path / "devices.json")
    kept.write("http://[::1]:8700", {"ingam-center-device": "A" * 43})
    heard: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        heard.append(request.headers.get("cookie", ""))
        return httpx2.Response(200)

    async def ask() -> None:
        transport = httpx2.MockTransport(answer)
        async with client("http://[::1]:8700", "ko", kept, transport=transport) as http:
            await http.get("/login")

    asyncio.run(ask())
    assert "ingam-center-device=" + "A" * 43 in heard[0]


def test_what_lies_in_the_file_of_cookies_is_only_taken_if_it_is_one(tmp_path: Path) -> None:
    kept = DeviceCookies(tmp_path / "ingam" / "devices.json")
    assert kept.read("https://a.example") == {}
    kept.write("https://a.example", {"__Host-ingam-device": "A" * 43})
    kept.write("https://b.example", {"__Host-ingam-device": "B" * 43})
    assert kept.read("https://a.example") == {"__Host-ingam-device": "A" * 43}
    for wrong in (
        "no json",
        "[]",
        '{"https://a.example": 1}',
        '{"https://a.example": {"other": "x", "__Host-ingam-device": 1}}',
    ):
        kept.file.write_text(wrong)
        assert kept.read("https://a.example") == {}


def test_the_center_calls_it_a_command_line() -> None:
    assert agent().startswith("ingam/")
    assert NOUNS["copy"] == "ingam.run.cli.copy"


def test_help_and_wrong_usage_end_with_the_codes_that_they_tell(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["copy", "send", "--help"]) == 0
    assert "7 복사하지 않음" in capsys.readouterr().out
    assert main(["copy", "receive"]) == 2
    assert main(["copy", "send", "/no/such/folder", "--center", "https://bank.example", "--id", HONG.banking_id]) == 2
    assert main(["copy", "receive", "--center", "http://bank.example"]) == copy.NOT_COPIED
