"""The institution's core-banking system keeps the customers: registration, login and management are the same to see.

A union of two heads in it: whose certificate it is, the screens say by a masked name.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from playwright.sync_api import expect
from tests.journeys import world
from tests.journeys.management.test_life import authenticate, shots
from tests.journeys.walks import Walk


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[world.World]:
    """`INGAM_CUSTOMERS=…/core INGAM_UNION_HEADS=2 make run`."""
    data = tmp_path_factory.mktemp("core") / "data"
    started = world.start(data, INGAM_CUSTOMERS="{sandbox}/core", INGAM_UNION_HEADS="2")
    yield started
    started.stop()


def count(at: Walk, table: str) -> int:
    """Rows of a table of the center's database."""
    with closing(sqlite3.connect(at.world.data / "center" / "center.db")) as store:
        found: int = store.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return found


def test_a_customer_of_the_core_registers_logs_in_and_releases(hurry: Callable[..., Walk]) -> None:
    at = hurry("lee")
    at.open("/about#accepted")
    wrong = shots(at, "accepted-about", 360)
    at.at_certificate()
    expect(at.page.get_by_text(at.say("accepted.lead_personal"))).to_be_visible()
    wrong += shots(at, "accepted", 360, 1280)
    at.open_window()
    at.pick("union-head")
    at.confirm()
    expect(at.page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()
    assert count(at, "customer") == 0 and count(at, "customer_key") == 1
    at.page.context.clear_cookies(name="ingam-center")
    at.open("/login?way=cert&then=/management")
    at.open_window("login.enter_certificate")
    at.pick("union-head")
    at.confirm()
    expect(at.page.get_by_text(at.say("life.next_registered"))).to_be_visible()
    expect(at.page.get_by_text("이*합", exact=True)).to_be_visible()
    wrong += shots(at, "core-overview", 360, 1280)
    at.open("/management/release")
    at.person.press(at.button("life.begin_release"))
    expect(at.button("factor.request_code")).to_be_visible()
    authenticate(at)
    expect(at.button("protection.sign_certificate")).to_be_visible()
    at.open_window("protection.sign_certificate")
    at.pick("union-head")
    at.confirm()
    expect(at.page.get_by_text(at.say("life.done_release"))).to_be_visible()
    assert wrong == []
