"""A process that is told to stop twice ends once, and quietly."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, os, signal, sys
from ingam.run.stopping import told_to_stop

class Loop(asyncio.SelectorEventLoop):
    def _close_self_pipe(self):
        super()._close_self_pipe()
        os.kill(os.getpid(), int(sys.argv[1]))  # where the descriptor that a signal wakes is closed already

async def serve():
    stop = told_to_stop()
    os.kill(os.getpid(), int(sys.argv[1]))
    await stop.wait()
    print("drained")

with asyncio.Runner(loop_factory=Loop) as runner:
    runner.run(serve())
"""


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_second_signal_while_the_loop_closes_is_ignored(told: signal.Signals) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(int(told))], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "drained\n", "")
