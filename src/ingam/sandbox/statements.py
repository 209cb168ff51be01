"""What else a demo person sees: the bank statement with its 1원 deposits, and the mailbox; and the same as JSON."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam import page
from ingam.kernel.errors import Refusal
from ingam.sandbox.bank import bank_name
from ingam.sandbox.box import Sandbox
from ingam.sandbox.people import PEOPLE, BankAccount, Person

OPENING_WON: Final = 10_000
"""What every account held before anything was sent to it."""


class UnknownPerson(Refusal):
    """Nobody of the demo has this key, or has what was asked for."""

    code = "sandbox-unknown-person"


def statement_routes(box: Sandbox) -> list[Route]:
    """The pages, and the same for programs as JSON."""
    pages = _Statements(box)
    return [
        Route("/bank/{key}.json", pages.deposits, methods=["GET"]),
        Route("/bank/{key}", pages.bank, methods=["GET"]),
        Route("/mail/{key}.json", pages.messages, methods=["GET"]),
        Route("/mail/{key}", pages.mail, methods=["GET"]),
    ]


class _Statements:
    """Of one person each."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box

    async def bank(self, request: Request) -> Response:
        owner, account = _with_account(request)
        return page.render(
            request,
            "sandbox/bank.html",
            owner=owner,
            account=account,
            bank=bank_name(account.bank_code),
            rows=self._rows(account),
            opening=OPENING_WON,
            people=[one for one in PEOPLE if one.bank is not None],
        )

    async def deposits(self, request: Request) -> Response:
        """Newest first: {at, print_content, amount, balance}."""
        _, account = _with_account(request)
        return JSONResponse([one | {"at": one["at"].isoformat()} for one in self._rows(account)])

    async def mail(self, request: Request) -> Response:
        owner = _person(request)
        mails = self._box.mails.box(owner.email)
        return page.render(request, "sandbox/mail.html", owner=owner, mails=mails, people=PEOPLE)

    async def messages(self, request: Request) -> Response:
        """Newest first: {id, from, subject, text, reference, at}."""
        found = self._box.mails.box(_person(request).email)
        return JSONResponse(
            [
                {
                    "id": one.id,
                    "from": one.sender,
                    "subject": one.subject,
                    "text": one.text,
                    "reference": one.reference,
                    "at": one.at.isoformat(),
                }
                for one in found
            ]
        )

    def _rows(self, account: BankAccount) -> list[dict[str, Any]]:
        """Newest first, each with the balance after it."""
        balance, found = OPENING_WON, []
        for one in reversed(self._box.deposits.statement(account.bank_code, account.account)):
            balance += one.amount
            found.append({"at": one.at, "print_content": one.print_content, "amount": one.amount, "balance": balance})
        return found[::-1]


def _person(request: Request) -> Person:
    found = next((one for one in PEOPLE if one.key == request.path_params["key"]), None)
    if found is None:
        raise UnknownPerson
    return found


def _with_account(request: Request) -> tuple[Person, BankAccount]:
    found = _person(request)
    if found.bank is None:
        raise UnknownPerson
    return found, found.bank
