"""`python -m ingam.run.center` itself: it dies at the step that it is told, and production refuses to be told (G7)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.center.registration.kill import walks
from tests.center.registration.kill.ground import OLD, Ground
from tests.center.registration.kill.nursery import ROOT, answers
from tests.center.registration.kill.person import Died, until

COMMAND = [sys.executable, "-m", "ingam.run.center"]
PRODUCTION = {
    "INGAM_MODE": "production",
    "INGAM_CENTER_ORIGIN": "https://cert.example.test",
    "INGAM_VAULT_ORIGIN": "https://vault.example.test",
    "INGAM_RELAY_ORIGIN": "https://relay.example.test",
    "INGAM_SMS_KEY": "not-the-sandbox",
    "INGAM_ARS_KEY": "not-the-sandbox",
    "INGAM_KILL_AT": "registration.17",
}


def test_G7_production_refuses_to_start_with_a_step_to_die_at(tmp_path: Path) -> None:
    environment = {**os.environ, **PRODUCTION, "INGAM_DATA": str(tmp_path), "PYTHONPATH": str(ROOT / "src")}
    ended = subprocess.run(COMMAND, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "INGAM_KILL_AT" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_command_kills_itself_at_the_armed_step(ground: Ground) -> None:
    case = ground.case("sqlite")
    environment = {**os.environ, **case.env, "INGAM_KILL_AT": "registration.17"}
    with (case.folder / "center.log").open("ab") as log:
        process = subprocess.Popen(COMMAND, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        until(lambda: answers(ground.port), "the center listens")
        one = case.person()
        one.log_in()
        with pytest.raises(Died):
            walks.walk_on(one, OLD)
        assert process.wait(30) == -signal.SIGKILL
        assert case.now().binding == []
    finally:
        process.kill()
        process.wait(30)
        case.stop()
