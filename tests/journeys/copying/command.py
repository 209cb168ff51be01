"""`ingam copy` as a person runs it in a terminal: what it says is read as it comes, and answered."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.journeys.world import World


class Command:
    """A running command with pipes instead of a terminal; passwords go in by --password-stdin."""

    def __init__(self, at: World, state: Path, *words: str, who: str) -> None:
        run = "import sys; from ingam.run.cli import main; sys.exit(main())"
        self._process = subprocess.Popen(
            [sys.executable, "-c", run, "copy", *words, "--center", at.center, "--id", who,
             "--password-stdin", "--lang", "en"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=0,
            env=os.environ | {"XDG_STATE_HOME": str(state), "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self.said = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        while part := self._process.stdout.read(1):
            self.said += part

    def hears(self, pattern: str) -> re.Match[str]:
        """Wait until it says so."""
        until = time.monotonic() + 30
        while (found := re.search(pattern, self.said)) is None:
            assert time.monotonic() < until and (self._process.poll() is None or self._reader.is_alive()), self.said
            time.sleep(0.05)
        return found

    def answer(self, line: str) -> None:
        """A line on its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def ends(self) -> int:
        """Its exit code."""
        code = self._process.wait(30)
        self._reader.join(10)
        return code

    def stop(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
