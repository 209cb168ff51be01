"""Processes that start at once: one process loads what all of them run, and forks them before it has read any key.

A dozen interpreters that each load the same libraries keep two cores busy for many seconds; these share one loading.
Each waits for its environment on a pipe of its own, and ends where none comes. It has a process group of its own and
dies with the process that forked it (PR_SET_PDEATHSIG). It runs the same `main()` as `python -m ingam.run.NAME`.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final

_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)
_LOOK_S: Final = 0.02
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15


class Forked:
    """One of them, as `subprocess.Popen` would have it. `returncode`: None while it runs, else as there."""

    def __init__(self, name: str, pid: int, order: int) -> None:
        """`order`: the pipe's end on which it waits for its environment."""
        self.name, self.pid = name, pid
        self.returncode: int | None = None
        self._order = order

    def start(self, environment: Mapping[str, str], *words: str) -> None:
        """It becomes `python -m ingam.run.NAME WORDS` in this environment."""
        order, self._order = self._order, -1
        with suppress(BrokenPipeError), os.fdopen(order, "w", encoding="ascii") as told:  # its end is seen by `poll`
            json.dump({"environment": dict(environment), "words": words}, told)

    def poll(self) -> int | None:
        """Its exit code, or the negative number of its signal; None while it runs."""
        if self.returncode is None:
            gone, status = os.waitpid(self.pid, os.WNOHANG)
            if gone:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, seconds: float | None = None) -> int:
        """Its end. Raises subprocess.TimeoutExpired."""
        until = None if seconds is None else time.monotonic() + seconds
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired(self.name, seconds or 0)
            time.sleep(_LOOK_S)
        return code

    def dismiss(self) -> None:
        """Where it was never started, it ends."""
        if self._order >= 0:
            os.close(self._order)
            self._order = -1
            self.wait()


class Brood:
    """All of them, from the loading on; at its end those that were never started are gone."""

    def __init__(self, names: Sequence[str]) -> None:
        """Load and fork them. `names`: modules below `ingam.run`."""
        for name in names:
            importlib.import_module(f"ingam.run.{name}")
        sys.stdout.flush()
        sys.stderr.flush()
        gc.collect()
        gc.freeze()  # the collector would touch, and so copy, every page that they share
        self._all: dict[str, Forked] = {}
        for name in names:
            self._all[name] = self._fork(name)

    def __enter__(self) -> Brood:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for one in self._all.values():
            one.dismiss()

    def start(self, name: str, environment: Mapping[str, str], *words: str) -> Forked:
        """One of them, started; each can be started once."""
        one = self._all[name]
        one.start(environment, *words)
        return one

    def _fork(self, name: str) -> Forked:
        hearing, order = os.pipe()
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = _child(name, parent, hearing)
            finally:  # also where its last words cannot be written: what follows here is the parent's
                os._exit(code)
        os.close(hearing)
        with suppress(OSError):  # the child does the same: whoever comes first
            os.setpgid(child, child)
        return Forked(name, child, order)


def _child(name: str, parent: int, hearing: int) -> int:
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        os.setpgid(0, 0)
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(_PR_SET_NAME, f"ingam {name}"[:15].encode())
        if os.getppid() != parent:  # it died before prctl
            return 1
        _close_all_but(hearing)
        return _become(name, hearing)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _close_all_but(hearing: int) -> None:
    """As subprocess does: what the parent holds open (a lock, the pipes of the others) is not theirs."""
    for number in [int(one.name) for one in Path("/proc/self/fd").iterdir()]:
        if number > 2 and number != hearing:
            with suppress(OSError):  # the folder that was just read
                os.close(number)


def _become(name: str, hearing: int) -> int:
    with os.fdopen(hearing, encoding="ascii") as told:
        text = told.read()
    if not text:
        return 0
    order: dict[str, Any] = json.loads(text)
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = [f"ingam.run.{name}", *order["words"]]
    return importlib.import_module(f"ingam.run.{name}").main() or 0
