"""A POST comes from a page of ours: Origin or Sec-Fetch-Site, and the CSRF token of this session (security F3)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request

from ingam.kernel.errors import Refusal

FIELD: Final = "csrf"
HEADER: Final = "x-ingam-csrf"


class OriginRefused(Refusal):
    """The request came from another site, or does not say where it came from."""

    code = "origin-refused"


class CsrfRefused(Refusal):
    """The form's token is missing or belongs to another session."""

    code = "csrf-refused"


def check_origin(request: Request) -> None:
    """Raises OriginRefused unless at least one header proves our own origin and none denies it.

    Our pages' `Referrer-Policy: same-origin` makes browsers send Origin with our forms (decision 0004). Something
    between that still turns it into `null` (Fetch §3.2) proves nothing and denies nothing; Sec-Fetch-Site, which no
    page can set, then decides.
    """
    origin = request.headers.get("origin", "null")
    site = request.headers.get("sec-fetch-site")
    ours: str = request.app.state.pages.origin
    if origin != "null" and origin != ours:
        raise OriginRefused
    if site is not None and site != "same-origin":
        raise OriginRefused
    if origin == "null" and site is None:
        raise OriginRefused


def check_post(request: Request, form: Mapping[str, object] | None = None) -> None:
    """Origin, then the token in the field `csrf` or the header `X-Ingam-CSRF`, compared in constant time.

    Raises OriginRefused, or CsrfRefused (also where there is no session at all: fail closed).
    """
    check_origin(request)
    expected: str | None = request.state.viewer.csrf
    given = (form or {}).get(FIELD) or request.headers.get(HEADER)
    if expected is None or not isinstance(given, str):
        raise CsrfRefused
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise CsrfRefused
