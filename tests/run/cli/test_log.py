"""`ingam log`: outsiders over folder and HTTP, owners offline, the authority from its books; each lie has its code."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.books.entries import intent, recorded
from tests.ca.log.ground import NOW, ORIGIN, Ground, MemoryLeaves, certificate, p256
from tests.protocols.log import trees

from ingam.adapters.books.sqlite import SqliteBooks, make
from ingam.ca.log import entries
from ingam.ca.log.heads import Log
from ingam.ca.log.inclusion import bundle
from ingam.ca.log.published import PublishedLog
from ingam.ports.books import BooksOutage, Leaves
from ingam.protocols.log.tiles import tiles
from ingam.run.cli import log


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    made = Ground(tmp_path)
    made.leaves.issue_many(600)
    made.publish()
    return made


@pytest.fixture
def kept(ground: Ground, tmp_path: Path) -> Path:
    """A head that an outsider kept, before the log grew."""
    file = tmp_path / "kept"
    file.write_text(ground.shown, encoding="utf-8")
    ground.leaves.issue_many(300)
    ground.publish()
    return file


def keyed(ground: Ground) -> list[str]:
    return ["--key", ground.key.text, "--witness", ground.witnesses[0].key.text]


def run(capsys: pytest.CaptureFixture[str], *words: object, **more: Any) -> tuple[int, dict[str, Any]]:
    """Exit code and what --json tells."""
    code = log.main([*map(str, words), "--json"], **more)
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, told


def refused(capsys: pytest.CaptureFixture[str], *words: object, **more: Any) -> tuple[int, str]:
    """Exit code and the code of the failure."""
    code, told = run(capsys, *words, **more)
    return code, str(told["error"]["code"])


# verify


def test_an_outsider_verifies_a_log_and_its_growth(
    ground: Ground, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = run(capsys, "verify", "--dir", ground.folder, "--head", kept, *keyed(ground))
    assert (code, told["result"], told["size"], told["kept_size"]) == (0, "as-it-should-be", 900, 600)
    assert (told["origin"], told["signature"], told["witnesses"]) == (ORIGIN, "checked", 1)


def test_the_published_folder_around_the_log_will_do(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "verify", "--dir", ground.folder.parent)[1]["signature"] == "not-checked"


def test_people_are_told_in_two_languages(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    assert log.main(["verify", "--dir", str(ground.folder), *keyed(ground)]) == 0
    told = capsys.readouterr().out
    assert "정상 · all as it should be" in told
    assert "서명 · signature" in told
    assert log.main(["verify", "--dir", str(ground.folder)]) == 0
    assert "확인하지 않음" in capsys.readouterr().out


def test_keys_may_stand_in_files(ground: Ground, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, key in (("log.vkey", ground.key), ("witness.vkey", ground.witnesses[0].key)):
        (tmp_path / name).write_text(key.text + "\n")
    words = ["--key", tmp_path / "log.vkey", "--witness", tmp_path / "witness.vkey"]
    assert run(capsys, "verify", "--dir", ground.folder, *words)[0] == 0


def test_D13_a_cut_tail_is_found(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    (ground.folder / "tile/0/002.p/88").unlink()
    assert refused(capsys, "verify", "--dir", ground.folder, *keyed(ground)) == (log.CUT, "log-cut")


@pytest.mark.parametrize("name", ["tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2"])
def test_a_changed_leaf_is_found(ground: Ground, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    octets = bytearray((ground.folder / name).read_bytes())
    octets[40] ^= 1
    (ground.folder / name).write_bytes(octets)
    assert refused(capsys, "verify", "--dir", ground.folder, *keyed(ground)) == (log.CHANGED, "log-leaves-changed")


def forked(ground: Ground, tmp_path: Path) -> Ground:
    """The same log and keys, another past, and a witness that forgot."""
    other = Ground(tmp_path / "fork")
    other.leaves.leaves = [replace(ground.leaves.leaves[0], hash=bytes(32)), *ground.leaves.leaves[1:]]
    other.publish()
    return other


def test_a_fork_is_found_by_the_head_that_was_kept(
    ground: Ground, kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["verify", "--dir", forked(ground, tmp_path).folder, *keyed(ground)]
    assert run(capsys, *words)[0] == 0
    assert refused(capsys, *words, "--head", kept) == (log.FORKED, "log-forked")


def test_a_log_that_became_smaller_is_found(
    ground: Ground, kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older = Ground(tmp_path / "older")
    older.leaves.leaves = ground.leaves.leaves[:500]
    older.publish()
    words = ["verify", "--dir", older.folder, *keyed(ground), "--head", kept]
    assert refused(capsys, *words) == (log.SHRUNK, "log-shrunk")


def test_a_head_of_nobody_or_of_another_is_not_believed(
    ground: Ground, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = ground.folder / "checkpoint"
    hashes = [leaf.hash for leaf in ground.leaves.leaves]
    words = ["verify", "--dir", ground.folder, "--key", ground.key.text]
    head.write_text(trees.signed(hashes, p256(5)), encoding="utf-8")
    assert refused(capsys, *words) == (log.UNSIGNED, "log-head-unsigned")
    head.write_text(trees.signed(hashes, p256(), origin="other.test/log"), encoding="utf-8")
    assert refused(capsys, *words) == (log.UNSIGNED, "log-other-origin")
    head.write_text(trees.signed(hashes, p256()).replace("10:00:00Z", "10:00:01Z"), encoding="utf-8")
    assert refused(capsys, *words) == (log.UNSIGNED, "log-head-signature")
    head.write_text(trees.signed(hashes, p256()), encoding="utf-8")
    assert run(capsys, *words)[0] == 0
    assert refused(capsys, *words, "--witness", ground.witnesses[0].key.text) == (
        log.UNWITNESSED,
        "log-witness-missing",
    )


def test_a_kept_head_of_another_log_is_no_beginning_of_this_one(
    ground: Ground, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.write_text(trees.signed([], origin="other.test/log"), encoding="utf-8")
    words = ["verify", "--dir", ground.folder, "--head", other]
    assert refused(capsys, *words) == (log.UNSIGNED, "log-other-origin")
    assert refused(capsys, *words, "--key", ground.key.text) == (log.UNSIGNED, "log-other-origin")


def test_what_cannot_be_read_is_told(ground: Ground, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["verify", "--dir", ground.folder]
    assert refused(capsys, "verify", "--dir", tmp_path / "gone") == (log.UNREADABLE, "log-file-unreadable")
    assert refused(capsys, *words, "--head", tmp_path / "gone") == (log.UNREADABLE, "log-file-unreadable")
    assert refused(capsys, *words, "--key", tmp_path / "gone") == (log.UNREADABLE, "log-file-unreadable")
    assert refused(capsys, *words, "--key", "a+b+c") == (log.UNREADABLE, "log-key-malformed")
    assert refused(capsys, *words, "--key", ground.witnesses[0].key.text) == (log.UNREADABLE, "log-key-malformed")
    (ground.folder / "checkpoint").write_bytes(b"\xff")
    assert refused(capsys, *words) == (log.UNREADABLE, "log-file-unreadable")
    (ground.folder / "checkpoint").write_bytes(b"no head\n")
    assert refused(capsys, *words) == (log.UNREADABLE, "log-head-malformed")


@pytest.mark.parametrize(
    "words",
    [[], ["verify"], ["check", "file"], ["prove", "--data", "x", "--serial", "0", "--out", "y"], ["sign"],
     ["prove", "--data", "x", "--serial", "zz", "--out", "y"], ["verify", "--dir", "x", "--witness", "y"]],
)  # fmt: skip
def test_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert log.main(words) == log.USAGE


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class Broken(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(500)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def served(handler: Any) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_anybody_verifies_over_http_alone(ground: Ground, kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served(partial(Quiet, directory=str(ground.folder.parent))) as address:
        for place in (f"{address}/log", f"{address}/log/", address):
            assert run(capsys, "verify", "--dir", place, "--head", kept, *keyed(ground))[1]["size"] == 900
        (ground.folder / next(tiles(900)).name).unlink()
        assert refused(capsys, "verify", "--dir", f"{address}/log")[0] == log.CUT


def test_an_address_that_does_not_answer_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with served(Broken) as address:
        assert refused(capsys, "verify", "--dir", address) == (log.AWAY, "log-address-outage")
    assert refused(capsys, "verify", "--dir", address) == (log.AWAY, "log-address-outage")


# prove and check


@contextmanager
def opened(leaves: Leaves, _: Path) -> Iterator[Leaves]:
    yield leaves


def test_H3_an_owner_s_proof_is_written_and_checked_offline(
    ground: Ground, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, der = tmp_path / "proof", tmp_path / "signCert.der"
    der.write_bytes(certificate(0x1F))
    words = ["prove", "--data", tmp_path, "--serial", "1F", "--out", out]
    code, told = run(capsys, *words, books=partial(opened, ground.leaves))
    assert (code, told["index"], told["head_size"]) == (0, 0x1E, 600)
    assert out.stat().st_mode & 0o077 == 0
    code, told = run(capsys, "check", out, *keyed(ground), "--certificate", der)
    assert (code, told["result"], told["serial"], told["index"]) == (0, "included", "1f", 0x1E)
    assert (told["head_origin"], told["head_size"], told["kind"]) == (ORIGIN, 600, "issue")
    der.write_text(ssl.DER_cert_to_PEM_cert(certificate(0x1F)))
    assert run(capsys, "check", out, *keyed(ground), "--certificate", der)[0] == 0


def test_another_certificate_s_proof_is_told(
    ground: Ground, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proof, der = tmp_path / "proof", tmp_path / "signCert.der"
    proof.write_text(bundle(ground.leaves, 1, 5).text, encoding="utf-8")
    for data in (certificate(6), b"-----BEGIN NOTHING-----"):
        der.write_bytes(data)
        words = ["check", proof, *keyed(ground), "--certificate", der]
        assert refused(capsys, *words) == (log.OTHER_CERTIFICATE, "log-other-certificate")


def test_a_proof_that_does_not_hold_is_told(ground: Ground, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, proof = bundle(ground.leaves, 1, 5).text, tmp_path / "proof"
    for text, expected in (
        (good.replace("index: 4\n", "index: 6\n"), (log.NOT_INCLUDED, "log-not-included")),
        (good.replace("serial: 05", "serial: 06"), (log.NOT_INCLUDED, "log-not-included")),
        (good.replace("index: 4\n", ""), (log.UNREADABLE, "log-bundle-malformed")),
        (good.replace("\n600\n", "\n601\n"), (log.UNSIGNED, "log-head-signature")),
    ):
        proof.write_text(text, encoding="utf-8")
        assert refused(capsys, "check", proof, *keyed(ground)) == expected
    proof.write_text(good, encoding="utf-8")
    other = trees.log_key(p256(9)).text
    assert refused(capsys, "check", proof, "--key", other) == (log.UNSIGNED, "log-head-unsigned")


def test_there_is_no_proof_of_what_is_unknown_unsigned_or_erased(
    ground: Ground, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ground.leaves.issue(0x9999)
    ground.leaves.erase(4)

    def prove(serial: str, *more: str) -> tuple[int, str]:
        words = ["prove", "--data", tmp_path, "--serial", serial, "--out", tmp_path / "proof", *more]
        return refused(capsys, *words, books=partial(opened, ground.leaves))

    assert prove("99:98") == (log.REFUSED, "log-never-issued")
    assert prove("01", "--ca", "2") == (log.REFUSED, "log-never-issued")
    assert prove("99:99") == (log.REFUSED, "log-not-yet")
    assert prove("05") == (log.REFUSED, "log-erased")
    assert not (tmp_path / "proof").exists()


def test_a_proof_is_written_over_nothing(ground: Ground, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("mine")
    for out, expected in ((tmp_path / "mine", (2, "log-file-exists")), (tmp_path / "a/b", (4, "log-file-unreadable"))):
        words = ["prove", "--data", tmp_path, "--serial", "01", "--out", out]
        assert refused(capsys, *words, books=partial(opened, ground.leaves)) == expected
    assert (tmp_path / "mine").read_text() == "mine"


def test_generations_are_those_whose_certificates_stand_in_the_folder(
    ground: Ground, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leaves = MemoryLeaves()
    leaves.issue(7, ca=3)
    Log(leaves, ground.signer, ORIGIN, PublishedLog(tmp_path / "other", [ground.key])).publish(NOW)
    words = ["prove", "--data", tmp_path, "--serial", "07", "--out", tmp_path / "proof"]
    assert refused(capsys, *words, books=partial(opened, leaves)) == (log.REFUSED, "log-never-issued")
    (tmp_path / "certificates").mkdir()
    for name in ("issuing-1.der", "issuing-3.der", "issuing-new.der"):
        (tmp_path / "certificates" / name).write_bytes(b"")
    assert run(capsys, *words, books=partial(opened, leaves))[0] == 0


async def record(books: SqliteBooks, count: int) -> None:
    for number in range(1, count + 1):
        one = intent(number, person=None)
        await books.intend(one)
        await books.record(replace(recorded(one), leaf=entries.issued(1, one.serial, certificate(number), NOW)))
    await books.shut()


def test_H3_the_real_books_give_heads_and_proofs(
    ground: Ground, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    authority = tmp_path / "authority"
    make(authority / "books.db")
    asyncio.run(record(SqliteBooks(authority / "books.db"), 300))
    books = SqliteBooks(authority / "books.db")
    published = PublishedLog(authority / "published" / "log", [ground.key])
    head = Log(books, ground.signer, ORIGIN, published, [ground.witness(tmp_path / "w")]).publish(NOW)
    books.close()
    assert head.size == 300
    assert run(capsys, "verify", "--dir", authority / "published", *keyed(ground))[1]["size"] == 300
    words = ["prove", "--data", authority, "--serial", f"{0x7F00 + 299:x}", "--out", tmp_path / "proof"]
    assert run(capsys, *words)[0] == 0
    (tmp_path / "cert").write_bytes(certificate(299))
    words = ["check", tmp_path / "proof", *keyed(ground), "--certificate", tmp_path / "cert"]
    assert run(capsys, *words)[1]["index"] == 298


def test_books_that_are_not_there_are_an_outage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["prove", "--data", tmp_path, "--serial", "01", "--out", tmp_path / "proof"]
    assert refused(capsys, *words) == (log.AWAY, BooksOutage.code)


def test_a_changed_book_is_ours_to_explain(ground: Ground, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ground.leaves.leaves[3] = replace(ground.leaves.leaves[3], hash=bytes(32))
    words = ["prove", "--data", tmp_path, "--serial", "03", "--out", tmp_path / "proof"]
    assert refused(capsys, *words, books=partial(opened, ground.leaves)) == (log.DEFECT, "log-books-changed")


def test_H3_an_owner_recomputes_the_leaf_with_openssl(ground: Ground, tmp_path: Path) -> None:
    """docs/reference/log.md says how: HMAC of the event under the salt, in hexadecimal between two lines."""
    given = bundle(ground.leaves, 1, 5)
    (tmp_path / "event").write_bytes(given.event)
    words = [
        "openssl",
        "dgst",
        "-sha256",
        "-mac",
        "HMAC",
        "-macopt",
        f"hexkey:{given.salt.hex()}",
        str(tmp_path / "event"),
    ]
    told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    (tmp_path / "entry").write_bytes(b"\0INGAM-LEAF/1\n" + told.split("= ")[1].encode())
    words = ["openssl", "dgst", "-sha256", "-binary", str(tmp_path / "entry")]
    leaf = subprocess.run(words, check=True, capture_output=True).stdout
    assert leaf == ground.leaves.leaves[4].hash


def test_verifying_needs_nothing_that_serves() -> None:
    """A bare installation has one dependency: an outsider needs no database driver."""
    seen = "import sys; import ingam.run.cli.log; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", seen], check=True, capture_output=True, text=True)
    assert not {"sqlalchemy", "msgspec", "uvloop", "sqlite3"} & set(done.stdout.split())
