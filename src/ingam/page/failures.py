"""One table turns failures into answers: a page for people, `{"code", "message"}` for scripts (security B3, H9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from ingam.kernel.errors import Defect, Failure, Outage, Refusal
from ingam.kernel.words import NAMED, has, naming, say, table
from ingam.page import log
from ingam.page.pages import render

BY_FAMILY: Final[tuple[tuple[type[Failure], int], ...]] = ((Outage, 503), (Defect, 500), (Refusal, 422), (Failure, 500))

# Every code whose status is not its family's.
STATUS: Final[Mapping[str, int]] = {
    "bad-request": 400,
    "idempotency-key-malformed": 400,
    "login-wrong": 401,
    "login-required": 401,
    "session-over": 401,
    "origin-refused": 403,
    "csrf-refused": 403,
    "forbidden": 403,
    "binding-suspended": 403,
    "finance-suspended": 403,
    "login-locked": 403,
    "login-rebind": 403,
    "login-unregistered": 403,
    "device-barred": 403,
    "device-unknown": 403,
    "card-locked": 403,
    "no-medium-locked": 403,
    "registration-locked": 403,
    "not-found": 404,
    "method-not-allowed": 405,
    "already-used": 409,
    "ars-under-way": 409,
    "conflict": 409,
    "copy-no-receiver": 409,
    "copy-number-used": 409,
    "copy-order": 409,
    "copy-other-session": 409,
    "copy-over": 409,
    "copy-receiver-changed": 409,
    "act-changed": 409,
    "device-taken": 409,
    "flow-expired": 409,
    "incident-nothing-suspended": 409,
    "incident-over": 409,
    "idempotency-done": 409,
    "flow-illegal-move": 409,
    "keypad-over": 409,
    "loan-received-already": 409,
    "nonce-invalid": 409,
    "receipt-number": 409,
    "replace-confirm": 409,
    "stale": 409,
    "true-step": 409,
    "too-large": 413,
    "ars-too-many": 429,
    "branch-number-spent": 429,
    "incident-crowded": 429,
    "copy-opens-spent": 429,
    "copy-runs-spent": 429,
    "login-crowded": 429,
    "sms-budget-spent": 429,
    "sms-too-many": 429,
    "sms-too-soon": 429,
    "too-many-challenges": 429,
    "too-many-requests": 429,
    "unlocks-customer-spent": 429,
    "unlocks-spent": 429,
    "unmaskings-spent": 429,
    "audit-looks-spent": 429,
    "searches-spent": 429,
    "password-queue-full": 503,
    "way-off": 503,
}
# Every way in which a certificate's status cannot be confirmed has the same next step for the person (M-CERT-11).
STATUS_OUTAGES: Final = ("status-", "root-list-")
HOLE: Final = "{" + NAMED + "}"
HTTP_CODES: Final = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 403: "forbidden"}


def status_of(failure: Failure) -> int:
    """The HTTP status of a failure: by its code, else by its family."""
    return STATUS.get(failure.code) or next(status for family, status in BY_FAMILY if isinstance(failure, family))


def message_of(failure: Failure, lang: str) -> str:
    """What the person reads: the text of the code, or of the family where the code has none or its facts do not fit.

    Outages of one party share a sentence; their code stands behind it, for whoever is asked about it.
    """
    told = _text_of(failure, lang)
    return f"{told} ({failure.code})" if isinstance(failure, Outage) else told


def _text_of(failure: Failure, lang: str) -> str:
    code = failure.code
    if isinstance(failure, Outage) and code.startswith(STATUS_OUTAGES) and not has(f"refusal.{code}"):
        code = "status-unavailable"
    if not isinstance(failure, Defect) and has(f"refusal.{code}"):
        try:
            key = f"refusal.{code}"
            return say(key, lang, **(naming(failure.facts, lang) if HOLE in table(lang)[key] else failure.facts))
        except (KeyError, IndexError, ValueError):
            pass
    family = "outage" if isinstance(failure, Outage) else "refused" if isinstance(failure, Refusal) else "defect"
    return say(f"refusal.{family}", lang)


def wants_json(request: Request) -> bool:
    """Whether a script asks: it names application/json and no HTML."""
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


def failure_response(request: Request, failure: Failure) -> Response:
    """The page or the JSON of a failure, with its status; a page names the request id only where the fault is ours."""
    request.state.failure = failure.code
    if isinstance(failure, Defect):
        log.tell_defect(request.state.request_id, failure)
    status = status_of(failure)
    message = message_of(failure, request.state.lang)
    if wants_json(request):
        return JSONResponse({"code": failure.code, "message": message}, status)
    ours = not isinstance(failure, Refusal)
    reference = request.state.request_id if ours else None
    heading = _heading(failure)
    code = failure.code if has(f"refusal.{failure.code}") else ""
    facts = {"heading": heading, "message": message, "reference": reference, "code": code}
    return render(request, "page/failure.html", status=status, **facts)


def _heading(failure: Failure) -> str:
    """The word that a failure page opens with."""
    if failure.code in ("not-found", "way-off"):
        return "page.failure_missing" if failure.code == "not-found" else "ways_out.closed"
    if isinstance(failure, Outage):
        return "page.failure_outage"
    return "page.failure_refused" if isinstance(failure, Refusal) else "page.failure_defect"


def see_other(path: str) -> Response:
    """303: the answer to a POST is another address (Post-Redirect-Get)."""
    return RedirectResponse(path, status_code=303)


def of_http(exception: HTTPException) -> Failure:
    """Starlette's own refusals in our codes."""
    code = HTTP_CODES.get(exception.status_code)
    if code is None:
        return Refusal("bad-request") if exception.status_code < 500 else Defect()
    return Refusal(code)


def failure_handlers() -> dict[Any, Any]:
    """For `Starlette(exception_handlers=…)`: failures and Starlette's own 404, 405, 413."""

    async def on_failure(request: Request, failure: Failure) -> Response:
        return failure_response(request, failure)

    async def on_http(request: Request, exception: HTTPException) -> Response:
        response = failure_response(request, of_http(exception))
        response.headers.update(exception.headers or {})
        return response

    return {Failure: on_failure, HTTPException: on_http}
