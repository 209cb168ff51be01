"""The folder appears whole or not at all: kills at every step, two at once, what a place of keys refuses."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.adapters.hsm.places import LABEL, PIN, Token, module
from tests.ca.ceremony.hall import NOW, QUICK, Hall

from ingam.adapters.hsm.pkcs11 import TokenKeys
from ingam.ca import ceremony
from ingam.ca.ceremony import (
    CeremonyExists,
    CeremonyUnderWay,
    HoldingsMissing,
    KeyOtherKind,
    Keys,
    KeysLeftOver,
    read_certificates,
)
from ingam.ca.profiles import preset_files
from ingam.kernel.secret import Secret
from ingam.npki.signature import KeyKind
from ingam.ports.signing import KeyKindRefused, KeysLocked

NAMES = ("root-1", "issuing-1", "ocsp-1", "encryption-1", "cmp-1", "log-1")


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    return Hall(tmp_path / "ca" / "demo")


def beside(hall: Hall) -> list[str]:
    return sorted(path.name for path in hall.folder.parent.iterdir()) if hall.folder.parent.is_dir() else []


def test_an_authority_that_is_there_is_never_replaced(hall: Hall) -> None:
    hall.found()
    before = {path: path.read_bytes() for path in hall.folder.rglob("*") if path.is_file()}
    with pytest.raises(CeremonyExists):
        hall.found()
    assert {path: path.read_bytes() for path in hall.folder.rglob("*") if path.is_file()} == before
    assert beside(hall) == ["demo"]


def test_two_at_once_are_one(hall: Hall) -> None:
    draft = hall.folder.parent / ".demo.new"
    draft.mkdir(parents=True)
    descriptor = os.open(draft, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(CeremonyUnderWay):
        hall.found()
    os.close(descriptor)
    hall.found()
    assert beside(hall) == ["demo"]


def test_two_roll_overs_at_once_are_one(hall: Hall) -> None:
    hall.found()
    descriptor = os.open(hall.folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(CeremonyUnderWay):
        hall.roll_over(NOW)
    os.close(descriptor)
    hall.roll_over(NOW)


def test_what_goes_wrong_leaves_nothing(hall: Hall) -> None:
    def locked(_: Path) -> Keys:
        raise KeysLocked

    with pytest.raises(KeysLocked):
        ceremony.found(hall.folder, hall.authority, {}, locked, hall.plan, NOW, hall.random)
    assert beside(hall) == []
    hall.found()


def test_a_folder_that_is_no_authority_is_refused(hall: Hall, tmp_path: Path) -> None:
    with pytest.raises(HoldingsMissing):
        hall.roll_over(NOW)
    (tmp_path / "certificates").mkdir()
    (tmp_path / "certificates" / "root-1.der").write_bytes(b"x")
    with pytest.raises(HoldingsMissing) as refused:
        read_certificates(tmp_path)
    assert refused.value.facts == {"name": "root-1"}


_PROCESS = """
import sys
from pathlib import Path
from tests.ca.ceremony.hall import NOW, Hall
from ingam.kernel import steps

hall = Hall(Path(sys.argv[1]), first=int(sys.argv[3]))
steps.arm(sys.argv[2])
if hall.folder.exists():
    getattr(hall, sys.argv[4])(NOW)
else:
    hall.found()
"""


def killed(hall: Hall, step: str, first: int = 0, act: str = "roll_over") -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(["src", "."])}
    root = Path(__file__).parents[3]
    words = [sys.executable, "-c", _PROCESS, str(hall.folder), step, str(first), act]
    done = subprocess.run(words, cwd=root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize(
    "step",
    [*(f"ceremony.{name}" for name in NAMES), "ceremony.recorded", "ceremony.ocsp-1.der", "ceremony.issuing-1.der",
     "ceremony.written"],
)  # fmt: skip
def test_killed_at_any_step_there_is_no_authority_and_the_next_start_makes_a_whole_one(hall: Hall, step: str) -> None:
    killed(hall, step)
    assert beside(hall) == [".demo.new"]
    hall.found()
    assert beside(hall) == ["demo"]
    assert hall.openssl_verifies("cmp-1", root="root-1", below=("issuing-1",), at=NOW).endswith(": OK")
    assert sorted(path.stem for path in (hall.folder / "keys").iterdir()) == sorted(NAMES)


def test_killed_when_all_was_done_the_authority_is_whole(hall: Hall) -> None:
    killed(hall, "ceremony.done")
    assert beside(hall) == ["demo"]
    assert hall.holdings.service("cmp", 1, NOW).name == "cmp-1"


@pytest.mark.parametrize(
    "step", ["ceremony.issuing-2", "ceremony.cmp-2", "ceremony.recorded", "ceremony.ocsp-2.der", "ceremony.cmp-2.der"]
)
def test_a_roll_over_that_was_killed_left_no_generation_and_ends_when_it_is_told_to_use_its_keys(
    hall: Hall, step: str
) -> None:
    hall.found()
    killed(hall, step, first=3)
    assert set(hall.holdings.issuing) == {1}
    with pytest.raises(KeysLeftOver) as refused:
        hall.roll_over(NOW)
    assert "issuing-2" in str(refused.value.facts["names"])
    hall.plan = dataclasses.replace(hall.plan, reuse_keys=True)
    hall.roll_over(NOW)
    held = hall.holdings
    assert set(held.issuing) == {1, 2}
    for use in ("ocsp", "encryption", "cmp"):
        assert held.service(use, 2, NOW).certificate.spki not in (
            held.service(use, 1, NOW).certificate.spki, held.issuing[2].spki,
        )  # fmt: skip


@pytest.mark.parametrize("step", ["ceremony.root-2", "ceremony.root-2-by-1.der", "ceremony.root-1-by-2.der"])
def test_a_root_roll_over_that_was_killed_left_no_root_and_ends_when_it_is_told_to_use_its_key(
    hall: Hall, step: str
) -> None:
    hall.found()
    killed(hall, step, first=3, act="root_roll_over")
    assert set(hall.holdings.roots) == {1}
    hall.plan = dataclasses.replace(hall.plan, reuse_keys=True)
    hall.root_roll_over(NOW)
    held = hall.holdings
    assert held.roots[2].spki == held.cross[2, 1].spki
    assert hall.openssl_verifies("root-2-by-1", root="root-1", below=(), at=NOW).endswith(": OK")


def test_a_certificate_of_a_root_or_an_issuing_ca_is_never_written_over(hall: Hall) -> None:
    hall.found()
    before = {path.name: path.read_bytes() for path in (hall.folder / "certificates").iterdir()}
    hall.root_roll_over(NOW)
    hall.roll_over(NOW)
    hall.renew(NOW, issuing=2)
    after = {path.name: path.read_bytes() for path in (hall.folder / "certificates").iterdir() if path.is_file()}
    assert {name: after[name] for name in before} == before


# With a token


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Token]:
    monkeypatch.setenv("SOFTHSM2_CONF", "")
    found = Token.empty(tmp_path / "token")
    yield found
    found.close()


def found_on(hall: Hall, token: Token, pin: Secret[str] = PIN) -> None:
    def open_keys(_: Path) -> Keys:
        keys = token.open(pin, prefix="demo:")
        return Keys(keys, keys)

    ceremony.found(
        hall.folder, hall.authority, preset_files("ingam"), open_keys, hall.plan, NOW, hall.random
    )  # fmt: skip


def test_a_token_holds_all_keys_and_the_folder_none(hall: Hall, token: Token) -> None:
    found_on(hall, token)
    assert not (hall.folder / "keys").exists()
    assert hall.openssl_verifies("cmp-1", root="root-1", below=("issuing-1",), at=NOW).endswith(": OK")
    keys = token.open(prefix="demo:")
    assert keys.names() == tuple(sorted(NAMES))
    assert keys.signer("issuing-1").public.spki == hall.holdings.issuing[1].spki
    assert keys.decryptor("encryption-1").public.spki == hall.holdings.service("encryption", 1, NOW).certificate.spki


def test_keys_that_are_left_over_in_a_token_are_named_and_used_only_when_told(hall: Hall, token: Token) -> None:
    keys = token.open(prefix="demo:")
    left = keys.make("root-1", KeyKind.P_256).public
    sealed = keys.make("encryption-1", KeyKind.RSA_2048).public
    keys.close()
    with pytest.raises(KeysLeftOver) as refused:
        found_on(hall, token)
    assert refused.value.facts == {"names": "encryption-1, root-1"}
    assert beside(hall) == []
    hall.plan = dataclasses.replace(hall.plan, reuse_keys=True)
    found_on(hall, token)
    assert hall.holdings.roots[1].spki == left.spki
    assert hall.holdings.service("encryption", 1, NOW).certificate.spki == sealed.spki


def test_a_key_that_is_left_over_of_another_kind_is_refused(hall: Hall, token: Token) -> None:
    keys = token.open(prefix="demo:")
    keys.make("root-1", KeyKind.P_384)
    keys.close()
    hall.plan = dataclasses.replace(hall.plan, reuse_keys=True)
    with pytest.raises(KeyOtherKind) as refused:
        found_on(hall, token)
    assert refused.value.facts == {"name": "root-1", "kind": "p-384"}
    assert beside(hall) == []


def test_a_kind_that_the_token_cannot_make_leaves_no_authority(hall: Hall, token: Token) -> None:
    hall.authority = dataclasses.replace(hall.authority, keys=dataclasses.replace(QUICK, root=KeyKind.ML_DSA_65))
    with pytest.raises(KeyKindRefused):
        found_on(hall, token)
    assert beside(hall) == []


def test_a_root_may_be_kept_in_a_token_and_all_else_in_files(hall: Hall, token: Token) -> None:
    def open_keys(draft: Path) -> Keys:
        return Keys(TokenKeys(module(), LABEL, PIN), hall.keys(draft).others)

    os.environ["SOFTHSM2_CONF"] = str(token.folder / "softhsm2.conf")
    ceremony.found(
        hall.folder, hall.authority, preset_files("ingam"), open_keys, hall.plan, NOW, hall.random
    )  # fmt: skip
    assert sorted(path.stem for path in (hall.folder / "keys").iterdir()) == sorted(set(NAMES) - {"root-1"})
    keys = token.open()
    assert keys.names() == ("root-1",)
