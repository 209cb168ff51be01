"""공동인증서란? and the help: what it is, how to get a file out of other programs, questions, and every code (W2)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Final, NamedTuple, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.customer.binding import accepted
from ingam.kernel import words
from ingam.npki.policies import Policy
from ingam.page import render
from ingam.ports.customers import CustomerKind

TEMPLATES: Final = "ingam.center.about"
KINDS: Final = ("sec", "uni", "bank")
STEPS: Final = ("1", "2", "3", "4", "5")
PLACES: Final = ("windows", "usb", "mac", "linux")
SHOWN: Final = (CustomerKind.PERSONAL, CustomerKind.CORPORATE)
"""A head of a union registers what any person does."""
QUESTIONS: Final = ("which", "forgot", "moved", "expired", "reissued", "token", "phone", "lost", "safe")
MOST_ASKED: Final = 60

NEXT: Final = (
    (("login-", "session-"), "/login", "login"),
    (("cert-", "policy-", "bank-only", "vid-", "untrusted-", "key-", "wrong-password"), "/about#kinds", "kinds"),
    (("binding-", "incident-"), "/incident", "incident"),
    (("copy-",), "/copying", "copying"),
    (("device-", "passkey-", "contact-"), "/protection", "protection"),
    (("issuance-", "idcard-", "id-card-", "onewon-", "real-name-"), "/issuance", "issuance"),
)
"""Where a code's next step is: beginnings of codes, an address, and the word of it."""

_HOLE: Final = re.compile(r"\{[a-z_]+\}")


class Entry(NamedTuple):
    """A code as the help shows it. `path`, `word`: where to go on, or ""."""

    code: str
    text: str
    path: str
    word: str


class Takes(Protocol):
    """What is taken of whom: `customer.binding.proof.Prover`."""

    def accepted(self, kind: CustomerKind) -> tuple[Policy, ...]:
        """What a customer of this kind may register."""


def show(takes: Takes) -> Callable[[Request], Awaitable[Response]]:
    """GET /about."""

    async def shown(request: Request) -> Response:
        lang = request.state.lang
        told = {str(kind): accepted.lines(takes.accepted(kind), lang) for kind in SHOWN}
        return render(request, "about/about.html", kinds=KINDS, accepted=told)

    return shown


async def help_page(request: Request) -> Response:
    """GET /help."""
    return render(request, "about/help.html", place="help", steps=STEPS, places=PLACES, questions=QUESTIONS)


async def codes(request: Request) -> Response:
    """GET /help/codes: all of them, or those that a word stands in (`q`)."""
    asked = request.query_params.get("q", "").strip()[:MOST_ASKED]
    found = entries(request.state.lang)
    shown = found if not asked else tuple(one for one in found if _holds(one, asked))
    return render(request, "about/codes.html", place="help", shown=shown, asked=asked, total=len(found))


@cache
def entries(lang: str) -> tuple[Entry, ...]:
    """Every code that has a text, by name; what a text would be filled with is shown as `…`."""
    table, hole = words.table(lang), "{" + words.NAMED + "}"
    named = str(words.naming({}, lang)[words.NAMED])
    told = sorted(
        (key.removeprefix("refusal."), text.replace(hole, named)) for key, text in table.items()
        if key.startswith("refusal.")
    )  # fmt: skip
    return tuple(Entry(code, _HOLE.sub("…", text).replace("(…)", ""), *_next(code)) for code, text in told)


def _next(code: str) -> tuple[str, str]:
    for beginnings, path, word in NEXT:
        if code.startswith(beginnings):
            return path, word
    return "", ""


def _holds(one: Entry, asked: str) -> bool:
    """Every word that was asked for stands in the code or in its text."""
    told = f"{one.code} {one.text}".casefold()
    return all(word in told for word in asked.casefold().split())


def routes(takes: Takes) -> list[Route]:
    """GET /about, /help, /help/codes."""
    return [
        Route("/about", show(takes), methods=["GET"]),
        Route("/help", help_page, methods=["GET"]),
        Route("/help/codes", codes, methods=["GET"]),
    ]
