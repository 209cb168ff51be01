"""Every process that `make run` forks is a command too, `python -m ingam.run.NAME`, and refuses what is wrong."""

from __future__ import annotations

import os
import subprocess
import sys

from ingam.run.demo import CHILDREN, WITHOUT_PORT

PROGRAM = """
import runpy, sys
from ingam.kernel.errors import Failure

names, sys.argv = sys.argv[1:], ["command"]
for name in names:
    sys.modules.pop(f"ingam.run.{name}", None)
    try:
        runpy.run_module(f"ingam.run.{name}", run_name="__main__")
    except SystemExit as ended:
        print(name, ended.code)
    except Failure as refused:
        print(name, refused.code)
"""
REFUSED = 2


def test_every_process_of_the_demo_is_a_command_and_refuses_a_port_that_is_none() -> None:
    names = [*CHILDREN, *WITHOUT_PORT, "blind_index", "trial", "worker"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *names], env={**os.environ, "INGAM_PORT": "none"}, capture_output=True,
        text=True, timeout=120,
    )  # fmt: skip
    found = dict(line.split() for line in done.stdout.splitlines())
    expected = dict.fromkeys(names, str(REFUSED)) | {"auditor": "1", "worker": "1", "vault": "settings-refused"}
    assert found == expected, done.stderr
