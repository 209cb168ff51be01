"""Rendering: Jinja2 templates of the page folder and of the features, with the words, the viewer and the look."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ingam.kernel import instants, words
from ingam.kernel.errors import Defect
from ingam.page import menu
from ingam.page.back import way_back
from ingam.page.bundle import Bundle
from ingam.page.compiled import COMPILED
from ingam.page.headers import content_policy
from ingam.page.web_app import with_web_app
from ingam.ports.clock import Clock

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
SEOUL: Final = instants.KST


class InstitutionFacts(Protocol):
    """What the layout shows of an institution; `settings.Institution` has it."""

    @property
    def name_ko(self) -> str: ...
    @property
    def name_en(self) -> str: ...
    @property
    def bank_ko(self) -> str: ...
    @property
    def bank_en(self) -> str: ...
    @property
    def tel(self) -> str: ...
    @property
    def call_hours_ko(self) -> str: ...
    @property
    def call_hours_en(self) -> str: ...
    @property
    def branch_ko(self) -> str: ...
    @property
    def branch_en(self) -> str: ...
    @property
    def branch_hours_ko(self) -> str: ...
    @property
    def branch_hours_en(self) -> str: ...
    @property
    def branch_link(self) -> str: ...
    @property
    def authority_link(self) -> str: ...
    @property
    def brand(self) -> str: ...
    @property
    def mark(self) -> str: ...


class LimitFacts(Protocol):
    """The limits the layout counts with, in seconds."""

    @property
    def session_warn_s(self) -> int: ...


class Offer(Protocol):
    """What is off now, where a process knows of it; `customer.availability.Now` has it."""

    def reason(self, way: str, lang: str) -> str:
        """Why a way is off; "" while it is on."""


class PageSettings(Protocol):
    """What pages need of the settings; `settings.Settings` has it. `page` cannot import it: it lies a storey above."""

    @property
    def center_origin(self) -> str: ...
    @property
    def vault_origin(self) -> str: ...
    @property
    def production(self) -> bool: ...
    @property
    def institution(self) -> InstitutionFacts: ...
    @property
    def limits(self) -> LimitFacts: ...


class Pages:
    """Renders every template of a process; lives in `app.state.pages`.

    `template_packages`: dotted names of features with a `templates/` folder. `bundle`: built files. `clock`: for `now`.
    `frame`: which layout the process shows: "center" with its menus (it alone embeds the vault), "console" with the
    operator's (`console/side.html`), or "plain" without. `origin`: this process's own; the center's unless given.
    `more`: what every template of the process knows besides.
    """

    def __init__(
        self,
        template_packages: Iterable[str],
        settings: PageSettings,
        bundle: Bundle,
        clock: Clock,
        frame: str = "center",
        origin: str | None = None,
        more: Callable[[Request], dict[str, Any]] | None = None,
    ) -> None:
        self.settings = settings
        self.more = more
        self.origin = origin or settings.center_origin
        self.vault_origin = settings.vault_origin if frame == "center" else ""
        self.clock = clock
        self.frame = frame
        self.service_worker: bool = getattr(settings, "service_worker", True)
        self.deposit_link: str = getattr(settings.institution, "deposit_link", "")
        self.bundle = bundle.with_file("institution.css", institution_css(settings.institution.brand))
        loaders = [PackageLoader("ingam.page"), *(PackageLoader(name) for name in template_packages)]
        self.environment = Environment(
            loader=ChoiceLoader(loaders),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=COMPILED,
        )
        self.environment.filters |= {"minute": instants.korean_minute, "day": instants.korean_day, "clock": _clock_text}
        # The build may lack a script (a process without one still shows its pages); the look must be there.
        self.script = "main.js" in bundle.names
        if frame == "center":
            self.bundle = with_web_app(self.bundle, settings.institution, self._offline())

    def _offline(self) -> bytes:
        """The page without a connection: a static file in both languages, with nothing of anybody in it."""
        told = {lang: _speaker(lang) for lang in words.LANGUAGES}
        facts = {"told": told, "institution": self.settings.institution, "asset": self.bundle.address}
        return self.environment.get_template("page/offline.html").render(facts).encode()

    def html(self, template: str, request: Request, facts: dict[str, Any]) -> str:
        """The text of a page; an unknown template, word or fact raises, nothing is silently empty."""
        state = request.state
        institution = self.settings.institution
        english = state.lang == "en"
        now = self.clock.now()
        context: dict[str, Any] = {
            "say": _speaker(state.lang),
            "lang": state.lang,
            "viewer": state.viewer,
            "institution": institution,
            "institution_name": institution.name_en if english else institution.name_ko,
            "bank_name": institution.bank_en if english else institution.bank_ko,
            "call_hours": institution.call_hours_en if english else institution.call_hours_ko,
            "branch_name": institution.branch_en if english else institution.branch_ko,
            "branch_hours": institution.branch_hours_en if english else institution.branch_hours_ko,
            "quarantine_h": getattr(self.settings.limits, "contact_quarantine_s", 72 * 3600) // 3600,
            "offer": getattr(state, "offer", None),
            "off": _reasons(getattr(state, "offer", None), state.lang),
            "nonce": state.nonce,
            "asset": self.bundle.address,
            "integrity": self.bundle.integrity,
            "has_script": self.script,
            "vault_origin": self.vault_origin,
            "vault_hash": self.bundle.vault_hash,
            "demo": not self.settings.production,
            "warn_s": self.settings.limits.session_warn_s,
            "now": now,
            "until": lambda seconds: now + timedelta(seconds=seconds),
            "path": request.url.path,
            "back": way_back(request),
            "frame": self.frame,
            "service_worker": self.service_worker,
            "deposit_link": self.deposit_link,
            "menu": menu,
            "errors": {},
            "place": "",
        }
        if self.more is not None:
            context |= self.more(request)
        return self.environment.get_template(template).render(context | facts)


def render(request: Request, template: str, status: int = 200, **facts: Any) -> Response:
    """The page of a template with its facts. `errors={field: text}` fills the summary and the fields."""
    pages: Pages = request.app.state.pages
    response = HTMLResponse(pages.html(template, request, facts), status)
    response.headers["Content-Security-Policy"] = content_policy(
        request.state.nonce, pages.vault_origin, web_app=pages.frame == "center"
    )
    return response


def institution_css(brand: str) -> bytes:
    """The institution's accent colour as a style sheet (inline styles are refused by our own policy).

    Raises Defect `brand-malformed` for anything but `#rrggbb`: it goes into CSS as it stands.
    """
    if not _COLOUR.fullmatch(brand):
        raise Defect("brand-malformed")
    return f":root{{--institution:{brand}}}\n".encode()


def _speaker(lang: str) -> Callable[..., str]:
    def say(key: str, **facts: str | int) -> str:
        return words.say(key, lang, **facts)

    return say


def _reasons(offer: Offer | None, lang: str) -> Callable[[str], str]:
    """`off("ars")` of templates: the reason, or "" while it is on."""

    def off(way: str) -> str:
        return "" if offer is None else offer.reason(way, lang)

    return off


def _clock_text(at: datetime) -> str:
    """`18:42` in Korea, for "until" without a script."""
    return at.astimezone(SEOUL).strftime("%H:%M")
