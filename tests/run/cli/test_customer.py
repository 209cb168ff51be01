"""`ingam customer` as an operator types it."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.clocks import SetClock

from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store import open_store
from ingam.adapters.store.migrate import migrate
from ingam.customer.masking import mask_name, mask_phone
from ingam.ports.store import Count, Insert, Row, Save, Store
from ingam.run.cli.customer import main
from ingam.settings import Settings
from ingam.wiring import keys_path

HONG = {
    "banking_id": "hong7510", "password": "Bank!2026", "kind": "personal", "name": "홍길동", "idn": "7510051000001",
    "mobile": "01085130001", "home_phone": "0285130001", "third_phone": "0285130009",
    "email": "hong@example.test", "union_name": None,
}  # fmt: skip


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INGAM_CHEAP_PASSWORDS", "1")
    monkeypatch.setenv("LANG", "ko_KR.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    migrate(Settings(data=tmp_path).store)
    return tmp_path


def enrol(data: Path, *people: dict[str, Any]) -> int:
    path = data / "people.json"
    path.write_text(json.dumps(people), encoding="utf-8")
    return main(["import", str(path), "--data", str(data)])


def with_store(data: Path, walk: Callable[[Store, str], Any]) -> Any:
    settings = Settings(data=data)
    keys = open_keys(keys_path(settings))

    async def walked() -> Any:
        store = open_store(settings.store, keys.outbox)
        try:
            return await walk(store, keys.digests.digest("banking-id", "hong7510"))
        finally:
            await store.close()

    return asyncio.run(walked())


def test_people_are_imported_once(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kim = {**HONG, "banking_id": "kim8203"}
    assert enrol(data, HONG) == 0
    assert enrol(data, HONG, kim) == 0
    assert capsys.readouterr().out.splitlines() == ["등록 1명, 이미 있음 0명", "등록 1명, 이미 있음 1명"]


def test_one_is_added_from_stdin_and_a_taken_id_is_refused(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for expected in (0, 6):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(HONG).encode())))
        assert main(["add", "-", "--data", str(data)]) == expected


def test_showing_is_masked(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enrol(data, HONG)
    capsys.readouterr()
    assert main(["show", "hong7510", "--json", "--data", str(data)]) == 0
    told = capsys.readouterr().out
    assert json.loads(told) == {
        "kind": "personal", "status": "ACTIVE", "name": "홍*동", "idn": "751005-1******", "mobile": "010-****-0001",
        "home_phone": "02-****-0001", "work_phone": None, "third_phone": "02-****-0009",
        "email": "h***@example.test", "union_name": None,
    }  # fmt: skip
    assert main(["show", "hong7510", "--data", str(data), "--lang", "en"]) == 0
    assert "7510051000001" not in capsys.readouterr().out


@pytest.mark.parametrize(("name", "masked"), [("", "*"), ("김", "김*"), ("김수", "김*"), ("남궁민수", "남**수")])
def test_names_of_every_length_are_masked(name: str, masked: str) -> None:
    assert mask_name(name) == masked


def test_telephone_numbers_keep_their_area_and_last_four() -> None:
    assert [mask_phone(n) for n in ("01085131234", "0285131234", "0515131234")] == [
        "010-****-1234", "02-****-1234", "051-****-1234",
    ]  # fmt: skip


def test_unlocking_resets_every_counter_of_the_id_and_is_audited(data: Path) -> None:
    enrol(data, HONG)
    now = SetClock().now()

    async def lock(store: Store, key: str) -> None:
        seen: Row = {"banking_key": key, "device": "d1", "first_at": now, "last_at": now}
        await store.save(Save(rows=[Insert("device_seen", seen)]))
        for device in ("new", "d1"):
            await store.count(Count(f"login-fail:{key}:{device}", 10_000_000, 5, now))
        await store.count(Count("login-fail:other:new", 10_000_000, 5, now))

    async def look(store: Store, key: str) -> None:
        left = {str(row["key"]) for row in await store.many("counter", {})}
        assert left == {"login-fail:other:new"}
        [line] = await store.many("audit", {"action": "customer.unlock"})
        assert line["result"] == "done"
        assert "hong7510" not in str(line)

    with_store(data, lock)
    assert main(["unlock", "hong7510", "--data", str(data)]) == 0
    with_store(data, look)


def test_an_unknown_id_is_told_apart(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["unlock", "nobody", "--data", str(data)]) == 6
    assert "customer-unknown" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "where"),
    [({"idn": "canary"}, "$[0].idn"), ({"kind": "canary"}, "$[0].kind"), ({"more": "canary"}, "$[0]")],
)
def test_a_wrong_file_names_the_place_and_repeats_nothing(
    data: Path, capsys: pytest.CaptureFixture[str], change: dict[str, str], where: str
) -> None:
    assert enrol(data, {**HONG, **change}) == 4
    told = capsys.readouterr().err
    assert where in told
    assert "canary" not in told
    assert main(["show", "hong7510", "--data", str(data)]) == 6


def test_usage_missing_files_and_an_unprepared_folder_have_their_exit_codes(
    data: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert main([]) == 2
    assert main(["--help"]) == 0
    assert main(["import", str(data / "missing.json"), "--data", str(data)]) == 4
    assert main(["show", "hong7510", "--data", str(tmp_path_factory.mktemp("empty"))]) == 1


def test_a_card_is_given_to_a_customer_and_its_numbers_are_told_once(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    enrol(data, HONG)
    capsys.readouterr()
    assert main(["card", "hong7510", "--data", str(data)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:3] for line in lines] == [f"{place:02d} " for place in range(1, 36)]
    assert all(len(line) == 7 and line[3:].isdigit() for line in lines)
    (row,) = with_store(data, lambda store, _: store.many("security_card_numbers", {}))
    assert lines[0][3:].encode() not in row["numbers"]
    assert main(["card", "nobody00", "--data", str(data)]) == 6


def test_a_token_is_given_to_a_customer_and_its_key_is_no_argument(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    enrol(data, HONG)
    key = data / "key.txt"
    key.write_text("gezd gnbv gy3t qojq gezd gnbv gy3t qojq\n", encoding="ascii")
    assert main(["token", "hong7510", "totp", str(key), "--data", str(data)]) == 0
    assert "OTP" in capsys.readouterr().out
    rows = with_store(data, lambda store, _: store.many("otp_token", {}))
    assert [row["kind"] for row in rows] == ["totp"] and b"1234567890" not in rows[0]["key"]
    key.write_text("not base32!", encoding="ascii")
    assert main(["token", "hong7510", "totp", str(key), "--data", str(data)]) == 4
    key.write_text("GEZDGNBV", encoding="ascii")
    assert main(["token", "hong7510", "hotp", str(key), "--data", str(data)]) == 4
    key.write_text("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", encoding="ascii")
    assert main(["token", "nobody00", "hotp", str(key), "--data", str(data)]) == 6


def test_a_union_is_given_heads_up_to_its_places_and_one_is_taken_away(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INGAM_UNION_HEADS", "2")
    enrol(data, {**HONG, "kind": "union-head", "union_name": "가온우리사주조합"})
    path, here = data / "head.json", ["--data", str(data)]
    path.write_text(json.dumps({"name": "김둘째", "idn": "8203152000002", "mobile": "01085130002"}), encoding="utf-8")
    assert main(["add-head", "hong7510", str(path), *here]) == 0
    assert main(["add-head", "hong7510", str(path), *here]) == 6  # the same person
    path.write_text(json.dumps({"name": "박셋째", "idn": "9001011000003", "mobile": "01085130003"}), encoding="utf-8")
    assert main(["add-head", "hong7510", str(path), *here]) == 6  # every place is taken
    capsys.readouterr()
    assert main(["heads", "hong7510", *here]) == 0
    told = capsys.readouterr().out
    assert told.splitlines() == [
        "1번 · 홍*동 · 751005-1****** · 010-****-0001 · 인증서 없음",
        "2번 · 김*째 · 820315-2****** · 010-****-0002 · 인증서 없음",
    ]
    assert main(["end-head", "hong7510", "2", *here]) == 0
    assert main(["end-head", "hong7510", "2", *here]) == 6
    assert main(["add-head", "hong7510", str(path), *here]) == 0
    assert main(["add-head", "nobody", str(path), *here]) == 6


def test_a_head_is_told_in_whole_or_refused_by_its_place(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INGAM_UNION_HEADS", "2")
    enrol(data, {**HONG, "kind": "union-head"})
    path = data / "head.json"
    path.write_text(json.dumps({"name": "김둘째", "idn": "820315-2000002", "mobile": "01085130002"}), encoding="utf-8")
    assert main(["add-head", "hong7510", str(path), "--data", str(data)]) == 4
    told = capsys.readouterr().err
    assert "idn" in told and "820315" not in told
