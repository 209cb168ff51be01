"""갱신 in a browser, with the real vault and the real authority: the old key signs, and is given up last (D10, B10)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from playwright.sync_api import Page, expect
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from tests.ca import world as authority
from tests.ca.endpoint.asking import around
from tests.journeys.person import enter, tick
from tests.journeys.screens import trouble
from tests.journeys.vault_issue.bench import BUILT, CSRF, FLOW, PASSWORD, Bench, Served, parsed
from tests.journeys.vault_issue.conftest import phone as phone  # the fixture
from tests.journeys.vault_issue.walk import Walk
from tests.page.gallery import FixedClock, LoggedIn

from ingam.center.renewal.flow import Agreeing, Renewed
from ingam.center.renewal.products import ALL
from ingam.center.renewal.service import CONSENTS
from ingam.center.renewal.walks import Here
from ingam.center.terms.registry import Registry
from ingam.kernel.words import say
from ingam.npki import key_file, policies
from ingam.page import Bundle, Pages, Viewer, middleware, render, shell_routes
from ingam.ports.books import State
from ingam.ports.payment import Payment, Stage
from ingam.protocols.cmp import message
from ingam.protocols.cmp.message import BodyKind
from ingam.settings import Settings

OLD_PASSWORD = "Old!paper-1985"
DAYS = 346


class RenewalBench(Bench):
    """The page of 갱신, and a person whose certificate ends in twenty days."""

    old: bytes = b""

    async def enrol(self) -> bytes:
        """The certificate, a year ago."""
        if not self.old:
            self.old = await authority.enrolled(self.ca, key=3)
            self.ca.clock.forward(DAYS * 86_400)
        return self.old

    def told(self) -> dict[str, Any]:
        found = super().told()
        for name in ("profile_ko", "profile_en", "spki"):
            del found[name]
        entry = self.ca.books.standing(1, parsed(self.old).serial)
        assert entry is not None
        standing = "valid" if entry.state is State.VALID else "revoked"
        own = [{"fingerprint": parsed(self.old).fingerprint.hex(), "standing": standing}]
        return found | {"own": own, "window_days": 30}

    async def key(self, fields: dict[str, str]) -> dict[str, Any]:
        assert fields["renews"] == parsed(self.old).fingerprint.hex()
        return await super().key(fields)

    async def product(self, fields: dict[str, str]) -> dict[str, Any]:
        self.state = "requested" if self.state == "product" else self.state
        return {"not_after_at_most": "2028-12-31T14:59:59Z"}

    async def carry(self, fields: dict[str, str]) -> dict[str, Any]:
        told = await super().carry(fields)
        if message.parse(base64.b64decode(told["message"])).body.kind is BodyKind.KUP:
            self.state = "delivered"
            told["idn"] = authority.IDN
        return told

    def _document(self, body: str) -> Any:
        return super()._document(body.replace("<section data-issue ", "<section data-issue data-renews "))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A fresh center, vault and authority."""
    served = Served(tmp_path, RenewalBench)
    yield served.bench
    served.stop()


def files(bench: Bench, folder: Path) -> list[Path]:
    """signCert.der and signPri.key of the person."""

    assert isinstance(bench, RenewalBench)
    # The browser's own loop runs in this thread.
    with ThreadPoolExecutor(1) as aside:
        old = aside.submit(lambda: asyncio.run(bench.enrol())).result()
    pkcs8 = authority.held("person", 3).key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    (folder / "signCert.der").write_bytes(old)
    (folder / "signPri.key").write_bytes(key_file.seal_key(pkcs8, OLD_PASSWORD.encode()))
    return [folder / "signCert.der", folder / "signPri.key"]


def pick(at: Walk, made: list[Path]) -> None:
    """The files, by their button."""
    at.open()
    expect(at.vault.locator("#why")).to_be_visible()
    with at.page.expect_file_chooser() as chooser:
        enter(at.button("pick-files"))
    chooser.value.set_files(made)
    expect(at.vault.locator("#password")).to_be_focused()


def go(at: Walk, password: str = OLD_PASSWORD) -> None:
    """The password, and 다음."""
    at.vault.locator("#password").fill(password)
    enter(at.button("renew-go"))


def state(bench: Bench) -> State:
    assert isinstance(bench, RenewalBench)
    found = bench.ca.books.standing(1, parsed(bench.old).serial)
    assert found is not None
    return found.state


def test_D10_B10_a_certificate_from_files_is_renewed_and_kept_and_the_old_one_ends_last(
    bench: Bench, phone: Callable[..., Page], tmp_path: Path
) -> None:
    at = Walk(phone(width=1280), bench)
    wrong = []
    pick(at, files(bench, tmp_path))
    wrong += trouble(at.page, "renewal-1-choose-1280-ko")
    go(at, "wrong")
    expect(at.vault.get_by_role("alert").filter(has_text="(1/5)")).to_be_visible()
    go(at)
    expect(at.page.locator("form[data-product]")).to_be_visible()
    assert (state(bench), bench.carried) == (State.VALID, [])
    wrong += trouble(at.page, "renewal-2-terms-1280-ko")
    at.confirm()
    at.issued()
    wrong += trouble(at.page, "renewal-3-renewed-1280-ko")
    assert bench.kinds() == [BodyKind.KUR, BodyKind.CERT_CONF]
    assert state(bench) is State.REVOKED
    (record,) = at.stored("records")
    assert isinstance(bench, RenewalBench)
    new, old = parsed(bytes.fromhex(record["certificate"])), parsed(bench.old)
    assert (new.subject, new.not_after.year) == (old.subject, old.not_after.year + 1)
    assert at.stored("drafts") == []
    assert wrong == []


def test_a_reload_goes_on_with_the_new_password_and_never_renews_twice(
    bench: Bench, phone: Callable[..., Page], tmp_path: Path
) -> None:
    at = Walk(phone(), bench)
    pick(at, files(bench, tmp_path))
    at.vault.locator("#password").fill(OLD_PASSWORD)
    tick(at.vault.locator("#renew-change"))
    at.vault.locator("#new-password").fill(PASSWORD)
    at.vault.locator("#new-password-again").fill(PASSWORD)
    wrong = trouble(at.page, "renewal-1-change-360-ko")
    enter(at.button("renew-go"))
    expect(at.page.locator("form[data-product]")).to_be_visible()
    bench.faults.down_after_ir = True
    at.confirm()
    at.again()
    assert state(bench) is State.VALID
    at.page.reload()
    bench.faults.down_after_ir = False
    expect(at.vault.locator("#password")).to_be_visible()
    wrong += trouble(at.page, "renewal-2-resume-360-ko")
    at.resume()
    at.issued()
    assert state(bench) is State.REVOKED
    assert bench.ca.books.count_of(1) == 2
    assert wrong == []


SLOT = """(handle) => new Promise((resolve, reject) => {
  const opening = indexedDB.open('ingam-vault')
  opening.onerror = () => reject(opening.error)
  opening.onsuccess = async () => {
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])
    const change = opening.result.transaction(['records', 'pins'], 'readwrite')
    change.oncomplete = () => { opening.result.close(); resolve() }
    const [salt, nonce, sealed] = [16, 12, 64].map((size) => new Uint8Array(size))
    change.objectStore('pins').put(pair.privateKey, handle)
    const reading = change.objectStore('records').getAll()
    reading.onsuccess = () => {
      const [record] = reading.result
      record.slots.push({ kind: 'pin', handle, rounds: 600000, salt, nonce, sealed })
      change.objectStore('records').put(record)
    }
  }
})"""
HANDLE = "5a" * 16


def test_B8_the_simple_pin_of_a_renewed_certificate_ends_with_it_and_the_last_page_hears_of_it(
    pin_bench: Bench, phone: Callable[..., Page], tmp_path: Path
) -> None:
    bench = pin_bench
    assert isinstance(bench, PinBench)
    at = Walk(phone(), bench)
    pick(at, files(bench, tmp_path))
    go(at)
    at.confirm()
    at.issued()
    (record,) = at.stored("records")
    enter(at.button("issue-done"))
    expect(at.page.get_by_role("link", name=say("renewal.login"))).to_be_visible()
    expect(at.page.get_by_text(say("renewal.simple"))).to_have_count(0)
    assert bench.asked == []

    bench.a_year_later(bytes.fromhex(record["certificate"]))
    at.open()
    expect(at.vault.get_by_role("radio")).to_be_visible()
    frame = next(one for one in at.page.frames if one.url.startswith(bench.vault))
    frame.evaluate(SLOT, HANDLE)
    at.open()
    line = at.vault.get_by_role("radio")
    line.focus()
    at.page.keyboard.press("Space")
    go(at)
    at.confirm()
    at.issued()
    assert bench.asked == [("challenge", ""), ("remove", HANDLE)]
    assert [slot["kind"] for slot in at.stored("records")[0]["slots"]] == ["password"]
    assert at.stored("pins") == []
    enter(at.button("issue-done"))
    expect(at.page.get_by_text(say("renewal.simple"))).to_be_visible()
    expect(at.page.get_by_role("link", name=say("renewal.set_simple"))).to_be_visible()
    wrong = trouble(at.page, "renewal-7-simple-360-ko")
    at.page.set_viewport_size({"width": 1280, "height": 800})
    assert wrong + trouble(at.page, "renewal-7-simple-1280-ko") == []


def test_M_RENEW_what_cannot_be_renewed_says_why(bench: Bench, phone: Callable[..., Page], tmp_path: Path) -> None:
    made = files(bench, tmp_path)
    bench.ca.clock.forward(-100 * 86_400)
    at = Walk(phone(), bench)
    at.open()
    expect(at.vault.locator("#why")).to_be_visible()
    with at.page.expect_file_chooser() as chooser:
        enter(at.button("pick-files"))
    chooser.value.set_files(made)
    line = at.vault.locator("input[type=radio]")
    line.focus()
    at.page.keyboard.press("Space")
    expect(at.vault.locator("#why")).to_have_text(at.say("why-renew-early"))
    assert (FLOW, CSRF) and bench.bodies == []


class PinBench(RenewalBench):
    """A center that is asked about 간편비밀번호, too."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.asked: list[tuple[str, str]] = []

    def a_year_later(self, renewed: bytes) -> None:
        """What was renewed is to be renewed."""
        self.old, self.state, self.spki = renewed, "key", None
        self.ca.clock.forward(366 * 86_400)

    async def product(self, fields: dict[str, str]) -> dict[str, Any]:
        await super().product(fields)
        return {"not_after_at_most": f"{parsed(self.old).not_after.year + 1}-12-31T14:59:59Z"}

    def routes(self) -> list[Route]:
        return [Route("/management/pin/{act}", self._pin, methods=["POST"]), *STATIC, *super().routes()]

    async def _page(self, request: Request) -> Response:
        """As the center draws it, once the run is over."""
        if self.state != "issued":
            return await super()._page(request)
        at = datetime(2026, 11, 27, tzinfo=UTC)
        ended = Renewed("a" * 64, "gold", "1a2b", at, bound=True)
        told = {
            "word": "issued",
            "state": ended,
            "customer": authority.HONG,
            "simple": "simple" in request.query_params,
        }
        return _as_drawn(await _drawn(self, "renewal/renewed.html", told))

    async def _pin(self, request: Request) -> Response:
        form = await request.form()
        self.asked.append((request.path_params["act"], str(form.get("handle", ""))))
        return JSONResponse({"nonce": "1" * 64} if request.path_params["act"] == "challenge" else {})


@pytest.fixture
def pin_bench(tmp_path: Path) -> Iterator[Bench]:
    """A fresh center, vault and authority."""
    served = Served(tmp_path, PinBench)
    yield served.bench
    served.stop()


class PaidBench(RenewalBench):
    """The center's own page of 갱신, and a certificate whose renewal costs 4,400."""

    paid = False

    def told(self) -> dict[str, Any]:
        rows = [row for row in policies.policies() if row.holder == "personal" and row.ca.key == "ingam"]
        return super().told() | {
            "policies": sorted({row.oid for row in rows if row.use in ("securities", "universal")})
        }

    async def enrol(self) -> bytes:
        if not self.old:
            self.old = await authority.enrolled(self.ca, key=3, profile="universal")
            self.ca.clock.forward(DAYS * 86_400)
        return self.old

    async def key(self, fields: dict[str, str]) -> dict[str, Any]:
        return await super().key(fields) | {"product": "universal"}

    async def product(self, fields: dict[str, str]) -> dict[str, Any]:
        assert fields["product"] == "universal"
        if not self.paid and self.state == "product":
            return {"pay": f"{self.center}/pay"}
        return await super().product(fields)

    async def sent(self, given: bytes) -> bytes:
        if message.parse(given).body.kind is not BodyKind.KUR:
            return given
        return around(await authority.registrar(self.ca), given)

    def routes(self) -> list[Route]:
        return [
            Route("/pay", self._pay), *STATIC, *super().routes(),
        ]  # fmt: skip

    async def _pay(self, _: Request) -> Response:
        self.paid = True
        made: Response = self._document('<h1>paid</h1><a href="/issuance/new">back</a>')
        return made

    async def _page(self, request: Request) -> Response:
        if self.state == "issued":
            return await super()._page(request)
        return _as_drawn(await _own_page(self))


async def _static(request: Request) -> Response:
    """A file of the build; the institution's own colours are none."""
    path = BUILT / "center" / request.path_params["name"]
    kinds = {".css": "text/css", ".js": "text/javascript", ".woff2": "font/woff2"}
    return Response(path.read_bytes(), media_type=kinds[path.suffix]) if path.is_file() else Response(status_code=404)


async def _worker(_: Request) -> Response:
    """A service worker that does nothing."""
    return Response("", media_type="text/javascript", headers={"service-worker-allowed": "/"})


STATIC: list[Route] = [Route("/static/service-worker.js", _worker), Route("/static/{name}", _static)]


async def _own_page(bench: PaidBench) -> httpx2.Response:
    """As the center draws it."""
    state = None if bench.state == "key" else Agreeing("d", "a" * 64, "b" * 64, "universal")
    allowed = (
        Payment("1" * 32, Stage.AUTHORISED, 4_400, "https://pay.test/", "시험카드 ****-4321") if bench.paid else None
    )
    at = datetime(2026, 11, 27, tzinfo=UTC)
    documents = Registry.read(None, production=False).documents(CONSENTS, at)
    word = "key" if bench.state == "key" else bench.state
    told: dict[str, Any] = {
        "word": word, "state": state, "here": Here(1, bench.version, state, at), "errors": {}, "typed": {},
        "documents": documents, "products": ALL, "allowed": allowed,
    }  # fmt: skip
    return await _drawn(bench, "renewal/renewal.html", told)


async def _drawn(bench: Bench, template: str, told: dict[str, Any]) -> httpx2.Response:
    """A page of the center's, by its own templates and headers."""

    async def show(request: Request) -> Response:
        return render(
            request, template, place="renewal", base="/issuance/new", vault_origin=bench.vault, **told
        )  # fmt: skip

    settings = Settings(mode="test", center_origin=bench.center, vault_origin=bench.vault)
    pages = Pages(["ingam.center.renewal"], settings, Bundle.read(BUILT), FixedClock())
    app = Starlette(
        routes=[Route("/", show), *shell_routes(pages)],
        middleware=[middleware(settings), Middleware(LoggedIn, viewer=Viewer("ko", CSRF, "홍길동", "id", 581))],
    )
    app.state.pages = pages
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=bench.center) as client:
        return await client.get("/")


def _as_drawn(page: httpx2.Response) -> Response:
    return HTMLResponse(page.text, headers={"content-security-policy": page.headers["content-security-policy"]})


@pytest.fixture
def paid_bench(tmp_path: Path) -> Iterator[Bench]:
    """A fresh center, vault and authority, and a fee."""
    served = Served(tmp_path, PaidBench)
    yield served.bench
    served.stop()


def test_a_renewal_that_costs_says_its_price_on_the_button_and_goes_on_when_it_is_paid(
    paid_bench: Bench, phone: Callable[..., Page], tmp_path: Path
) -> None:
    at = Walk(phone(), paid_bench)
    pick(at, files(paid_bench, tmp_path))
    go(at)
    form = at.page.locator("form[data-product]")
    expect(form.get_by_role("radio", name=say("renewal.product_universal"))).to_be_checked()
    expect(form.get_by_text(say("renewal.product_gold"), exact=True)).to_be_hidden()
    wrong = trouble(at.page, "renewal-5-fee-360-ko")
    pay = form.get_by_role("button", name=say("payment.press_renewal", n="4,400"), exact=True)
    pay.press("Enter")
    expect(at.page.get_by_role("heading", name="paid")).to_be_visible()
    at.page.get_by_role("link", name="back").press("Enter")
    at.page.set_viewport_size({"width": 1280, "height": 800})
    at.resume(OLD_PASSWORD)
    expect(form.get_by_role("status")).to_have_text(
        say("payment.allowed_renewal", n="4,400", means="시험카드 ****-4321")
    )
    wrong += trouble(at.page, "renewal-6-allowed-1280-ko")
    form.get_by_role("button", name=say("renewal.ok"), exact=True).press("Enter")
    at.issued()
    assert state(paid_bench) is State.REVOKED
    assert wrong == []
