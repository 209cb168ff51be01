"""What operators do again and again: sign a change, open a customer, issue a number."""

from __future__ import annotations

import re
import sqlite3
import urllib.parse
from contextlib import closing

from playwright.sync_api import Page, expect
from tests.journeys.world import World

from ingam.kernel.words import say


def press(page: Page, word: str) -> None:
    """A button by the word on it."""
    page.get_by_role("button", name=say(word), exact=True).click()


def path_of(page: Page) -> str:
    """Where the page is."""
    return urllib.parse.urlsplit(page.url).path


def signed_by_maker(page: Page) -> str:
    """The draft on this page, read and signed; its path."""
    expect(page.locator(".change-text")).to_be_visible()
    press(page, "console-changes.submit")
    expect(page.get_by_text(say("console-changes.waits"))).to_be_visible()
    return path_of(page).removesuffix("/submit")


def shown(page: Page) -> str:
    """The half of an enrolment that the page shows once: the maker's code or the checker's link."""
    secret = page.locator(".change-secret")
    expect(secret).to_be_visible()
    return secret.inner_text()


def approve(page: Page) -> None:
    """The second signature, after which it is true."""
    press(page, "console-changes.approve")
    expect(page.get_by_text(say("console-changes.status-applied"), exact=True)).to_be_visible()


def open_customer(page: Page, banking_id: str, reason: str = "counter") -> None:
    """고객 열기 with a reason."""
    page.get_by_label(re.compile("^" + say("console-standing.banking_id"))).fill(banking_id)
    page.get_by_label(say(f"console-standing.reason_{reason}")).press("Space")
    press(page, "console-standing.open")
    expect(page.get_by_role("heading", name=say("console-standing.locks"))).to_be_visible()


def purpose_at_factor(world: World, banking_id: str) -> str:
    """What ② asks a proof for: another journey may have registered a certificate of this person, or ended one."""
    with closing(sqlite3.connect(world.data / "center" / "center.db", timeout=30)) as store:
        newest = store.execute(
            "SELECT binding.status FROM binding JOIN customer USING (customer_id)"
            " WHERE banking_id = ? ORDER BY bound_at DESC LIMIT 1",
            (banking_id,),
        ).fetchone()
    again = newest is not None and newest[0] in ("ACTIVE", "SUSPENDED", "STALE")
    return "rebind" if again else "registration"


def issue(page: Page, purpose: str = "registration") -> str:
    """From the customer's page to the slip; the digits on it."""
    page.get_by_role("link", name=say("console-standing.issue_number")).click()
    page.get_by_label(say("console-numbers.purpose")).select_option(purpose)
    page.get_by_label(say("console-numbers.card_resident")).press("Space")
    press(page, "console-numbers.issue")
    number = page.locator(".slip-number")
    expect(number).to_be_visible()
    return "".join(number.inner_text().split())
