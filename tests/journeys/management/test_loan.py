"""대출신청 in a browser: page, window and receipt show one text, and the evidence holds without the center."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import expect
from tests.journeys.conftest import SIZES
from tests.journeys.screens import trouble
from tests.journeys.walks import Walk

AMOUNT, ACCOUNT = "1,250", "110-234-567890"


def both(at: Walk, name: str) -> list[str]:
    """What is wrong with the screen at both widths."""
    found = []
    for width in (360, 1280):
        at.page.set_viewport_size(SIZES[width])
        found += trouble(at.page, f"{name}-{width}-ko-light")
    return found


def test_A19_a_loan_application_is_signed_as_it_is_shown_and_its_evidence_holds(
    hurry: Callable[..., Walk], tmp_path: Path
) -> None:
    at = hurry("lee")
    at.register("union-head")
    expect(at.page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()
    at.log_in_by_certificate("union-head")
    expect(at.page).to_have_url(at.world.center + "/loan")
    found = both(at, "loan-form")
    at.person.press(at.button("loan.review"))
    expect(at.page.locator("[data-error-summary]")).to_be_focused()
    at.person.type_into(at.field("loan.amount"), AMOUNT)
    at.person.type_into(at.field("loan.account"), ACCOUNT)
    at.page.get_by_label(at.say("loan.months")).select_option("24")
    at.person.press(at.button("loan.review"))
    shown = at.page.locator("pre.signed-text")
    expect(shown).to_contain_text("12,500,000원")
    text = shown.inner_text()
    found += both(at, "loan-review")
    at.open_window("loan.sign")
    assert at.vault.locator(".body-text").inner_text() == text
    at.pick("union-head")
    at.confirm()
    expect(at.page.get_by_role("heading", name=at.say("loan.signed_text"))).to_be_visible()
    assert at.page.locator("pre.signed-text").inner_text() == text
    found += both(at, "loan-receipt")
    with at.page.expect_download() as download:
        at.page.get_by_role("link", name=at.say("loan.file")).click()
    file = tmp_path / "evidence.json"
    download.value.save_as(file)
    told = verified(at, file, at.page.locator("code.long").last.inner_text())
    assert told["result"] == "right" and told["text"] == text
    assert [one["verdict"] for one in told["checks"]] == ["ok"] * 7, told["checks"]
    assert told["time_from"] == "stamp" and told["number"] in text
    signed = [one for one in at.world.audit() if one["action"] == "loan.sign"]
    assert signed[-1]["facts"] == {"evidence": told["digest"]}
    at.open("/mybank")
    expect(at.page.get_by_role("link", name=at.say("evidence.act_loan")).first).to_be_visible()
    assert found == []


def verified(at: Walk, file: Path, digest: str) -> dict[str, Any]:
    """`ingam evidence verify`, with the authorities and the time-stamp authority of the demo. `digest`: printed."""
    data = at.world.data
    words = ["evidence", "verify", str(file), "--anchors", str(data / "trust"), "--json"]
    words += ["--tsa-roots", str(data / "sandbox" / "tsa" / "root.pem"), "--digest", digest]
    command = [sys.executable, "-c", "import sys; from ingam.run.cli import main; sys.exit(main(sys.argv[1:]))", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_help_finds_a_code_and_says_how_a_file_is_got_out_of_other_programs(hurry: Callable[..., Walk]) -> None:
    at = hurry("lee")
    at.open("/help")
    found = both(at, "help")
    at.person.press(at.page.get_by_role("link", name=at.say("help.codes_open"), exact=True))
    at.person.type_into(at.page.get_by_label(at.say("help.codes_search")), "cert-expired")
    at.person.press(at.button("help.codes_find"))
    expect(at.page.locator("#cert-expired")).to_be_visible()
    found += both(at, "help-codes")
    at.open("/about")
    found += both(at, "about")
    assert found == []
