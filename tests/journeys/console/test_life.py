"""An imported registration, a renewal that waits, a charge that hangs and an authority that is silent: for officers.

Customer and registration come by the commands of the operations manual; what nobody can bring about in a minute, such
as a charge of ten hours ago, is put into the database and taken out again.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.journeys.conftest import SIZES
from tests.journeys.console.acts import open_customer, press
from tests.journeys.screens import trouble
from tests.journeys.world import World

from ingam.kernel.words import say

# On one worker: the operators enrol once.
pytestmark = pytest.mark.xdist_group("console")

OFFICER, ADMINISTRATOR_TOO, CLERK = "E1001", "E1002", "E2001"
WHO = {
    "banking_id": "lifelong1", "password": "Lifelong!2026", "kind": "personal", "name": "한평생",
    "idn": "7903151234568", "mobile": "01085137903",
}  # fmt: skip
ISSUER = '"cn=SignKorea CA4,ou=AccreditedCA,o=SignKorea,c=KR"'
ROWS = (
    f'lifelong1,{ISSUER},"cn=한평생()0001,ou=RA,o=SignKorea,c=KR",1a2b3c,',
    f'nobody0001,{ISSUER},"cn=아무개()0001,ou=RA,o=SignKorea,c=KR",1a2b3d,',
    "lifelong1,,,,",
)
CHARGE = "c5" * 16
HOUR = 3_600_000_000


def command(world: World, *words: str, given: str = "") -> int:
    """`ingam …` on the server, beside the running center."""
    run = "import sys; from ingam.run.cli import main; sys.exit(main(sys.argv[1:]))"
    environment = {**os.environ, "INGAM_DATA": str(world.data), "INGAM_CHEAP_PASSWORDS": "1", "SUDO_USER": "registrar"}
    done = subprocess.run(
        [sys.executable, "-c", run, *words], input=given, capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode in (0, 6), done.stdout + done.stderr
    return done.returncode


@pytest.fixture
def a_life(running: World, tmp_path: Path) -> Iterator[World]:
    """The customer with an imported registration, and everything that hangs."""
    if command(running, "customer", "show", WHO["banking_id"]) == 6:
        assert command(running, "customer", "add", "-", given=json.dumps(WHO)) == 0
    file = tmp_path / "registrations.csv"
    file.write_text("\n".join(["banking_id,issuer,subject,serial,certificate", *ROWS, ""]), encoding="utf-8")
    assert command(running, "import", "bindings", str(file), "--again") == 6  # two rows are refused
    with closing(sqlite3.connect(running.data / "center" / "center.db", timeout=30)) as store:
        with store:
            put(store)
        yield running
        with store:
            taken_out(store)


def put(store: sqlite3.Connection) -> None:
    """A renewal that waits for its device, a charge of ten hours ago, a silent authority."""
    (customer,) = store.execute(
        "SELECT customer_id FROM customer WHERE banking_id = ?", (WHO["banking_id"],)
    ).fetchone()
    now = time.time_ns() // 1000
    state = json.dumps({"state": "Requested", "version": 1, "facts": {}})
    store.execute(
        "INSERT INTO flow (flow_id, machine, version, state, session, customer_id, expires_at) VALUES (?,?,?,?,?,?,?)",
        ("renewal:lifelong", "renewal", 1, state, "0" * 64, customer, now + HOUR),
    )
    store.execute(
        "INSERT INTO payment (key, customer_id, flow_id, machine, product, amount, stage, approval, opened_at)"
        " VALUES (?,?,?,?,?,?,?,?,?)",
        (CHARGE, customer, "issuance:lifelong", "issuance", "universal", 4400, "authorised", "", now - 10 * HOUR),
    )
    store.execute(
        "INSERT INTO party_health (party, node, state, failed_at, cause, told_at) VALUES (?,?,?,?,?,?)",
        ("authority:인증기관 흉내", "night", "away", now - 30 * HOUR, "status-unreachable", now - HOUR),
    )


def taken_out(store: sqlite3.Connection) -> None:
    """Nobody else's journey meets it."""
    store.execute("DELETE FROM flow WHERE flow_id = 'renewal:lifelong'")
    store.execute("DELETE FROM payment WHERE key = ?", (CHARGE,))
    store.execute("DELETE FROM party_health WHERE party = 'authority:인증기관 흉내'")


def both(page: Page, name: str) -> list[str]:
    """What is wrong with the screen at both widths."""
    found = []
    for width in (1280, 360):
        page.set_viewport_size(SIZES[width])
        found += trouble(page, f"console-{name}-ko-{width}")
    page.set_viewport_size(SIZES[1280])
    return found


def test_officers_see_an_import_a_silent_authority_and_a_charge_that_hangs_and_whose_it_is(
    operator: Callable[..., Page], a_life: World
) -> None:
    page = operator(OFFICER, "/imports")
    expect(page.get_by_text(say("console-imports.state_done"), exact=True).first).to_be_visible()
    expect(page.get_by_text(say("console-imports.by", who="registrar")).first).to_be_visible()
    page.get_by_text(say("console-imports.codes"), exact=True).first.click()
    expect(page.get_by_text(say("refusal.import-unknown-customer"))).to_be_visible()
    found = both(page, "imports")
    page = operator(OFFICER, "/")
    expect(page.get_by_text("인증기관 흉내")).to_be_visible()
    page = operator(OFFICER, "/pictures")
    expect(page.get_by_text(say("console-pictures.silent_alarm"), exact=True)).to_be_visible()
    found += both(page, "pictures-silent")
    page = operator(OFFICER, "/fees")
    expect(page.get_by_text(CHARGE)).to_be_visible()
    found += both(page, "fees")
    page.locator(f"a[href='/fees/{CHARGE}']").click()
    press(page, "console-standing.open")
    expect(page.locator("[data-error-summary]")).to_contain_text(say("refusal.reason-missing"))
    found += both(page, "fee-whose")
    page.get_by_label(say("console-standing.reason_incident")).press("Space")
    press(page, "console-standing.open")
    expect(page.get_by_text(say("console-fees.say_hangs"))).to_be_visible()
    assert found == []


def test_a_clerk_hears_how_a_renewal_goes_on_and_that_an_imported_registration_waits(
    operator: Callable[..., Page], a_life: World
) -> None:
    page = operator(CLERK, "/desk")
    expect(page.get_by_role("link", name=say("console-fees.menu"), exact=True)).to_have_count(0)
    open_customer(page, WHO["banking_id"], "call")
    expect(page.get_by_text(say("console-standing.under_way_renewal_Requested"))).to_be_visible()
    expect(page.get_by_text("첫 로그인을 기다립니다")).to_be_visible()
    assert both(page, "customer-life") == []
