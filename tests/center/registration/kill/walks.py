"""Walks: what Hong wants, and how he goes on from wherever he finds himself after the center came back."""

from __future__ import annotations

from collections.abc import Callable

from tests.center.registration.kill.ground import NEW, OLD, OTHERS, Case
from tests.center.registration.kill.person import Person

MOST_SCREENS = 40


class Lost(Exception):  # noqa: N818 - what became of a person
    """The walk does not lead where it should; only somebody who works in two tabs may get lost."""


def walk_on(one: Person, slug: str) -> None:
    """From the true screen to the end, as somebody does who wants this certificate registered. Raises Died."""
    one.get(one.entrance)
    for _ in range(MOST_SCREENS):
        match one.screen:
            case "identifying":
                one.identify()
            case "choosing":
                one.request_code()
            case "awaiting":
                one.prove()
                if one.status != 200 and one.screen == "awaiting":  # another code is the right one, or time is over
                    one.request_code()
            case "certificate":
                one.present(slug)
            case "registered" | "locked":
                return
            case seen:
                raise Lost(f"at {seen}: {one.status} {one.page[:1500]}")
    raise Lost(f"never came to an end: {one.screen} {one.status}")


def until_screen(one: Person, screen: str) -> None:
    """As far as this screen."""
    one.get(one.entrance)
    for _ in range(MOST_SCREENS):
        if one.screen == screen:
            return
        match one.screen:
            case "identifying":
                one.identify()
            case "choosing":
                one.request_code()
            case "awaiting":
                one.prove()
            case seen:
                raise Lost(f"at {seen} on the way to {screen}")
    raise Lost(f"never came to {screen}")


def first(_case: Case, one: Person) -> None:
    """A first registration."""
    walk_on(one, OLD)


def rebind(_case: Case, one: Person) -> None:
    """A replacement."""
    walk_on(one, NEW)


def back(_case: Case, one: Person) -> None:
    """이전 at ③, where a proof is held."""
    until_screen(one, "certificate")
    one.back()


def cancel(_case: Case, one: Person) -> None:
    """나가기 at ②."""
    until_screen(one, "awaiting")
    one.cancel()


def time_over(case: Case, one: Person) -> None:
    """The thirty minutes are over at ③."""
    until_screen(one, "certificate")
    case.database.time_ran_out()
    one.before()
    one.get()


def wrong_number(_case: Case, one: Person) -> None:
    """Refused at ①."""
    one.get(one.entrance)
    one.identify(idn="8203152000002")


def wrong_code(_case: Case, one: Person) -> None:
    """Refused at ②: both fields are wrong."""
    until_screen(one, "awaiting")
    one.prove(code="000000" if one.newest_code() != "000000" else "111111", phone_back="9999")


def others_certificate(_case: Case, one: Person) -> None:
    """Refused at ③: it is Kim's."""
    until_screen(one, "certificate")
    one.present(OTHERS)


def locked_password(_case: Case, one: Person) -> None:
    """Locked at ①, where one wrong password is one too many."""
    one.get()
    one.identify(password="Wrong!2026")


def locked_fields(_case: Case, one: Person) -> None:
    """Locked at ②, where one wrong number is one too many."""
    until_screen(one, "awaiting")
    one.prove(phone_back="9999")


def locked_certificate(case: Case, one: Person) -> None:
    """Locked at ③, where one certificate of somebody else is one too many."""
    others_certificate(case, one)


Walk = Callable[[Case, Person], None]
