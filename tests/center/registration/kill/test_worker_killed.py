"""The worker killed between the provider's acknowledgement and `delivered`: the message is on the phone once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.center.registration.kill import invariants, walks
from tests.center.registration.kill.ground import OLD, STORES, Case, Ground
from tests.center.registration.kill.nursery import ROOT
from tests.center.registration.kill.person import Died, until


@contextmanager
def worker(case: Case) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m ingam.run.worker` on the case's store."""
    with (case.folder / "worker.log").open("ab") as log:
        command = [sys.executable, "-m", "ingam.run.worker"]
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **case.env}, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait(30)


@pytest.mark.parametrize("store", STORES)
def test_a_worker_killed_after_a_lost_acknowledgement_shows_the_message_once(ground: Ground, store: str) -> None:
    case = ground.case(store)
    try:
        case.start("registration.6")
        one = case.person()
        one.log_in()
        with pytest.raises(Died):
            walks.walk_on(one, OLD)
        assert case.died() == -signal.SIGKILL
        case.database.leases_ran_out()
        # The provider takes the message and says nothing; the worker dies before it could mark anything.
        ground.switch("sms", "lost-acknowledgement")
        with worker(case) as first:
            until(lambda: len(case.texts()) == 1, "the message arrives")
            first.send_signal(signal.SIGKILL)
            assert first.wait(30) == -signal.SIGKILL
        assert case.database.waiting()
        ground.switch("sms", "normal")
        case.database.leases_ran_out()
        with worker(case):
            until(lambda: not case.database.waiting(), "the message is marked")
        assert len(case.texts()) == 1
        case.start()
        walks.walk_on(one, OLD)
        assert one.screen == "registered"
        invariants.at_the_end(case)
    finally:
        ground.switch("sms", "normal")
        case.stop()
