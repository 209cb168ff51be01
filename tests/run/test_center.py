"""The center's process: what refuses its start, and the tasks that live beside its screens."""

from __future__ import annotations

import asyncio
import io
import json

import pytest

from ingam.page import set_up_log
from ingam.run import beside, center


def test_a_broken_task_is_told_by_type_and_begun_again() -> None:
    log = io.StringIO()
    set_up_log(log)

    async def go() -> int:
        stop, runs = asyncio.Event(), 0

        async def task() -> None:
            nonlocal runs
            runs += 1
            if runs == 1:
                raise ValueError("a canary that must not be told")
            stop.set()

        await asyncio.wait_for(beside.steadily("worker", task, stop, again_s=0.01), 5)
        return runs

    assert asyncio.run(go()) == 2
    line = json.loads(log.getvalue())
    assert (line["event"], line["task"], line["kind"]) == ("task-broken", "worker", "ValueError")
    assert "canary" not in log.getvalue()


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("INGAM_PORT", "80", "settings-refused variable=PORT"),
        ("INGAM_STORE", "mysql://localhost/x", "store-address"),
    ],
)
def test_a_start_that_is_refused_says_why_and_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert center.main() == 2
    assert told in capsys.readouterr().err


def test_a_store_without_its_schema_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("INGAM_DATA", str(tmp_path_factory.mktemp("empty")))
    assert center.main() == 2
    assert "store" in capsys.readouterr().err
