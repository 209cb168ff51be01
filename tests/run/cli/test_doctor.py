"""`ingam doctor` over real sockets: a vault as built, an altered one, and one that is away (security B4)."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ingam.run.cli import doctor


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def bundle(folder: Path, script: bytes = b"signed();") -> str:
    folder.mkdir()
    (folder / "window.html").write_bytes(b"<!doctype html>")
    (folder / "window-A.js").write_bytes(script)
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("window-A.js", "window.html")}
    listing = json.dumps(files).encode()
    (folder / "files.json").write_bytes(listing)
    return hashlib.sha256(listing).hexdigest()


def test_B4_the_same_bundle_at_two_addresses_is_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = bundle(tmp_path / "one")
    with served(tmp_path / "one") as first, served(tmp_path / "one") as second:
        assert doctor.main(["--bundle", first, second, "--expect", name, "--json"]) == doctor.SAME
    assert {row["bundle"] for row in json.loads(capsys.readouterr().out)["served"]} == {name}


def test_B4_another_bundle_is_told(tmp_path: Path) -> None:
    name = bundle(tmp_path / "one")
    bundle(tmp_path / "two", b"steal();")
    with served(tmp_path / "two") as other:
        assert doctor.main(["--bundle", other, "--expect", name]) == doctor.DIFFERENT


def test_B4_an_altered_file_under_the_same_listing_is_told(tmp_path: Path) -> None:
    name = bundle(tmp_path / "one")
    (tmp_path / "one" / "window-A.js").write_bytes(b"steal();")
    with served(tmp_path / "one") as altered:
        assert doctor.main(["--bundle", altered, "--expect", name]) == doctor.DIFFERENT


def test_an_address_that_does_not_answer_is_told(tmp_path: Path) -> None:
    bundle(tmp_path / "one")
    with served(tmp_path / "one") as gone:
        pass
    assert doctor.main(["--bundle", gone, "--expect", "0" * 64]) == doctor.AWAY
