"""Every screen of 신규공동인증서신청 with plain contexts, for the tests of its templates and for looking at them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tests.page.gallery import CSRF, NOW, FixedClock, LoggedIn

from ingam.center.issuance import states
from ingam.center.issuance.account import Contact
from ingam.center.issuance.products import PRODUCTS, Ending
from ingam.center.issuance.walks import Here
from ingam.center.issuance.web import TEMPLATES
from ingam.customer.binding.bindings import Details
from ingam.customer.fields import said
from ingam.kernel.secret import Secret
from ingam.kernel.words import say
from ingam.page import Bundle, Pages, Viewer, failure_handlers, middleware, render, shell_routes
from ingam.ports.bank import BANKS
from ingam.ports.certification import IssuedCertificate, Standing
from ingam.ports.customers import Customer, CustomerKind
from ingam.settings import Settings

__all__ = ["CASES", "CSRF", "app", "facts_of", "served", "visible"]
VIEWER: Final = Viewer("ko", CSRF, "홍길동", "id", 581)
HONG: Final = Customer(
    "c-1", CustomerKind.PERSONAL, "honggildong", "홍길동", Secret("7510052123456"), "01085131234",
    email="hong@example.test",
)  # fmt: skip
TITLES: Final = {
    "T1": "온라인서비스 이용약관",
    "T2": "전자금융거래 기본약관",
    "T3": "개인정보수집·이용·제공동의 약관",
    "T4": "SignKorea 공동인증서 서비스 이용약관",
    "T5": "SignKorea 공동인증서 발급에 따른 개인정보 수집 및 이용동의",
    "T6": "SignKorea 공동인증서 발급에 따른 개인정보 제3자 제공에 대한 동의",
    "T7": "1원 인증을 위한 정보 제공 일괄동의 (오픈뱅킹/대행사)",
    "T8": "본인확인서비스 약관·개인정보·고유식별정보·통신사 약관",
    "T9": "신분증 진위확인 개인정보·고유식별정보 처리 고지",
}


@dataclass(frozen=True)
class Doc:
    """A document as a screen sees it."""

    code: str
    required: bool = True
    kind: str = "consent"

    @property
    def href(self) -> str:
        return f"/terms/{self.code}"

    def title(self, lang: str) -> str:
        return (
            TITLES[self.code] if lang == "ko" else f"Document {self.code} with a title of about this length in English"
        )

    def tick(self, lang: str) -> str:
        return f"2026-11-01:{lang:0>64}"


def documents(*codes: str) -> list[Doc]:
    return [Doc(code) for code in codes]


SIX: Final = documents("T1", "T2", "T3", "T4", "T5", "T6")
T7: Final = documents("T7")
DOOR: Final = states.Door("5" * 64, "d" * 64, NOW)
PHONE: Final = states.Proved("phone", "k" * 64)
LATER: Final = NOW + timedelta(seconds=161)
HALF: Final = NOW + timedelta(minutes=28, seconds=12)
OLD: Final = IssuedCertificate(
    "4a3f09c2b1d5e677", "f" * 64, "CN=홍길동()0088049202611220001", "미래에셋증권", "securities",
    "1.2.410.200004.5.1.1.9", NOW, NOW, datetime(2027, 3, 14, 14, 59, 59, tzinfo=UTC), Standing.VALID,
    issuer_name=b"", subject_name=b"",
)  # fmt: skip
BOUND: Final = Details("CN=홍길동", "CN=SignKorea CA4", "4a3f09c2b1d5e677", "증권용 개인", "Securities, personal", b"")
CONTACT: Final = Contact("hong@example.test", "", "01085131234", "", "", "")
SAID: Final = Contact(
    "hong@naver.com", "0221001234", "01085131234", "07327", "서울특별시 시험구 시험로 1 (시험동)", "101동 202호"
)
GOLD: Final = (PRODUCTS["gold"],)
BOTH: Final = (PRODUCTS["gold"], PRODUCTS["universal"])
NAMED: Final = Ending(True, {"gold": OLD}, BOUND)


def _here(state: states.State | None, **facts: Any) -> Here:
    return Here(1, 0 if state is None else 7, state, HALF, **facts)


def _on(number: int, state: states.State, **facts: Any) -> dict[str, Any]:
    return {"here": _here(state), "state": state, "number": number} | facts


def _door(**facts: Any) -> dict[str, Any]:
    seen: dict[str, Any] = {name: facts.pop(name) for name in ("products", "ending") if name in facts}
    return {"here": _here(None, **facts), "state": None, "number": 0, **seen}


def _waiting(method: str, left: timedelta = timedelta(seconds=161)) -> states.NameConfirmed:
    return states.NameConfirmed(DOOR, states.Asked("t", "k" * 64, NOW + left, method))


_NOTHING: Final = Ending(True, {}, None)
_ONEWON: Final = states.AwaitingOneWon(
    DOOR, PHONE, "resident", "R" * 20, "004", "*****1234**", HALF - timedelta(minutes=30), HALF
)
_CARD_TYPED: Final = {
    "kind": "licence",
    "name": "홍길동",
    "birth_date": "19751005",
    "licence_number": "11-15-123456-01",
}
_ISSUE: Final = {"products": GOLD, "ending": NAMED}

CASES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "password": ("password", _door()),
    "password-resume": ("password", _door(away=True, resumable=True)),
    "password-elsewhere": ("password", _door(away=True)),
    "password-expired": ("password", _door(came_from_expired=True)),
    "password-wrong": ("password", _door() | {"errors": {"password": "registration.need_password"}}),
    "consents": ("consents", _on(1, states.Consenting(DOOR), documents=SIX)),
    "consents-wrong": (
        "consents",
        _on(1, states.Consenting(DOOR), documents=SIX, typed={"name": "홍길동"})
        | {"errors": {"consent_T2": "refusal.consent-missing", "idn": "fields.rrn_digits"}},
    ),
    "identity": ("identity", _on(1, states.NameConfirmed(DOOR), documents=documents("T8"))),
    "identity-sms": ("identity", _on(1, _waiting("SMS"), documents=documents("T8"))),
    "identity-app": ("identity", _on(1, _waiting("APP"), documents=documents("T8"))),
    "identity-over": ("identity", _on(1, _waiting("SMS", timedelta(0)), documents=documents("T8"))),
    "identity-wrong": (
        "identity",
        _on(1, states.NameConfirmed(DOOR), documents=documents("T8"), typed={"mobile": "010"})
        | {"errors": {"mobile": "fields.mobile", "carrier": "issuance.choose_carrier"}},
    ),
    "identity-certificate": (
        "identity",
        _on(1, _waiting("SMS"), documents=documents("T8"))
        | {"errors": {"certificate": "issuance.need_certificate"}},
    ),
    "card": ("card", _on(2, states.PhoneProved(DOOR, PHONE), documents=documents("T9"))),
    "card-wrong": (
        "card",
        _on(2, states.PhoneProved(DOOR, PHONE), documents=documents("T9"), typed=_CARD_TYPED)
        | {"errors": {"form": "refusal.id-card-mismatch"}},
    ),
    "account": ("account", _on(3, states.IdCardAccepted(DOOR, PHONE, "resident"), documents=T7, banks=BANKS)),
    "account-lapsed": (
        "account",
        _on(3, states.IdCardAccepted(DOOR, PHONE, "licence", lapsed=True), documents=T7, banks=BANKS),
    ),
    "account-wrong": (
        "account",
        _on(3, states.IdCardAccepted(DOOR, PHONE, "licence"), documents=T7, banks=BANKS)
        | {"errors": {"bank_code": "fields.bank_code"} | {"code": "refusal.onewon-expired"}},
    ),
    "onewon": ("onewon", _on(3, _ONEWON, documents=T7, banks=BANKS)),
    "onewon-wrong": (
        "onewon",
        _on(3, _ONEWON, documents=T7, banks=BANKS) | {"errors": {"code": "refusal.onewon-expired"}},
    ),
    "details": ("details", _on(4, states.Describing(DOOR, PHONE), contact=CONTACT)),
    "details-said": ("details", _on(4, states.Describing(DOOR, PHONE), contact=SAID)),
    "details-wrong": (
        "details",
        _on(4, states.Describing(DOOR, PHONE), contact=CONTACT, typed={"email_local": "hong", "home_phone": "010"})
        | {"errors": {name: f"fields.{name}" for name in ("email", "home_phone", "zip5")} | {"road": "fields.zip5"}},
    ),
    "issue": ("issue", _on(5, states.AwaitingKey(DOOR), word="key", **_ISSUE)),
    "issue-product": ("issue", _on(5, states.ChoosingProduct(DOOR, "a" * 64), word="product", **_ISSUE)),
    "issue-unknown": (
        "issue",
        _on(5, states.AwaitingKey(DOOR), word="key", products=BOTH, ending=Ending(False, {}, None)),
    ),
    "issue-nothing": ("issue", _on(5, states.AwaitingKey(DOOR), word="key", products=BOTH, ending=_NOTHING)),
    "issue-requested": (
        "issue",
        _on(6, states.Requested(DOOR, "a" * 64, "gold", ""), word="requested", products=GOLD, ending=None),
    ),
    "issued": ("issued", _on(0, states.Issued("f" * 64, "gold", "5b21d0c4e79a83f61144", OLD.not_after, replaced=True))),
    "reissue": ("reissue", _door(products=GOLD, ending=NAMED)),
    "reissue-none": ("reissue", _door(products=(), ending=Ending(True, {}, BOUND))),
    "reissue-unknown": ("reissue", _door(products=(), ending=Ending(False, {}, None))),
    "refused": (
        "refused",
        _on(0, states.Refused("issuance-refused"), reason="issuance.why-issuance-refused"),
    ),
}  # fmt: skip


def facts_of(case: str, lang: str) -> tuple[str, dict[str, Any]]:
    """Template and context of a case, as web.py gives them."""
    template, facts = CASES[case]
    base = {
        "place": "issuance_new", "errors": {}, "typed": {}, "customer": HONG, "customer_number": "751005-2******",
        "customer_mobile": "010-8513-****", "vault_origin": "http://localhost:8701", "now": NOW, "said": said,
        "base": "/issuance/new", "run_kind": "new", "allowed": None,
    }  # fmt: skip
    told: dict[str, Any] = base | facts
    told["errors"] = {name: say(key, lang) for name, key in told["errors"].items()}
    if "reason" in told:
        told["reason"] = say(str(told["reason"]), lang)
    return f"issuance/{template}.html", told


async def show(request: Request) -> Response:
    template, facts = facts_of(request.path_params["case"], request.state.lang)
    return render(request, template, **facts)


async def card(request: Request) -> Response:
    """Reads every photograph as the same licence, with one field that it is not sure of."""
    body = await request.body()
    if len(body) < 2000 or not body.startswith(b"\xff\xd8"):
        return JSONResponse(
            {"code": "card-unreadable", "message": say("refusal.card-unreadable", request.state.lang)}, 422
        )
    fields = {"name": "홍길동", "number_front": "7510052", "issued_on": "20190312", "birth_date": "19751005",
              "licence_number": "11-15-123456-01"}  # fmt: skip
    return JSONResponse({"fields": fields, "unsure": ["issued_on"]})


async def address(request: Request) -> Response:
    form = await request.form()
    page = int(str(form.get("page", "1")))
    if len(str(form["keyword"])) < 2:
        message = say("refusal.address-keyword", request.state.lang)
        return JSONResponse({"code": "address-keyword", "message": message}, 422)
    rows = [
        {"road": f"서울시험시 시험구 시험로{page} {n} (시험동)", "jibun": f"시험동 {n}-1", "zip5": f"0{page}3{n:02}"}
        for n in range(1, 11)
    ]
    return JSONResponse({"total": 37, "page": page, "addresses": rows})


def app(bundle: Bundle | None = None, settings: Settings | None = None) -> Starlette:
    """The center's shell around the screens."""
    settings = settings or Settings(mode="test")
    pages = Pages([TEMPLATES], settings, bundle or Bundle.empty(), FixedClock())
    routes = [
        Route("/issuance/new/card", card, methods=["POST"]),
        Route("/issuance/new/address", address, methods=["POST"]),
        Route("/issuance/new/{case}", show),
        *shell_routes(pages),
    ]
    made = Starlette(
        routes=routes,
        middleware=[middleware(settings), Middleware(LoggedIn, viewer=VIEWER)],
        exception_handlers=failure_handlers(),
    )
    made.state.pages = pages
    return made


def served() -> Starlette:
    """For looking at it: `uvicorn --factory tests.center.issuance.gallery:served --port 8791` after a build."""
    built = Path(__file__).resolve().parents[3] / "build" / "browser"
    folder = Path(os.environ.get("INGAM_BUNDLE", built))
    return app(Bundle.read(folder), Settings(mode="test", center_origin="http://localhost:8791"))


def visible(html: str) -> str:
    """The words of a page without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
