"""사고신고: what it does without login, what it never does, and the way back (security E11, F8, F9)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route
from tests.center.protection.person import Person
from tests.center.world import FIRM, HONG, KIM, Browser, World, party, signed, told
from tests.npki import certs

from ingam.adapters.certification.absent import AbsentCertification
from ingam.center.incident import suspending
from ingam.customer.binding.bindings import Bindings, ToBind
from ingam.customer.notice import SMS, deliver_sms
from ingam.npki import policies
from ingam.ports.certification import Certification, CertificationOutage, CertificationRefused
from ingam.ports.customers import Customer
from ingam.ports.customers import Phone as Number
from ingam.ports.store import Conflict, Insert, Save
from ingam.run.incidents import incident_deliveries
from ingam.run.worker import once
from ingam.settings import Settings


@dataclass
class Authority(AbsentCertification):
    """An authority whose CA is the tests' own; it notes what it is asked to do to certificates."""

    ours: bool = True
    down: bool = False
    refuses: bool = False
    asked: list[tuple[int, int]] = field(default_factory=list)

    async def authorities(self) -> tuple[bytes, ...]:
        return (certs.ca().certificate.der,) if self.ours else (certs.root().certificate.der,)

    async def revoke(self, issuer: bytes, serial: int, reason: int, subject: bytes) -> None:
        assert (issuer, subject) == (certs.ca().certificate.subject.raw, party().certificate.subject.raw)
        if self.down:
            raise CertificationOutage
        self.asked.append((serial, reason))
        if self.refuses:
            raise CertificationRefused(fail_info="certRevoked", said="revoked")


async def work(world: World, authority: Certification) -> list[str]:
    """What the worker does until nothing is due; the texts that left."""
    before = set(world.phone.sent)
    ports = replace(world.ports, certification=authority)
    settings = Settings(mode="test", center_origin=world.origin)
    handlers = {SMS: deliver_sms(world.phone), **incident_deliveries(settings, ports)}
    while await once(world.ports.store, handlers, world.clock):
        pass
    return [sms.text for reference, sms in world.phone.sent.items() if reference not in before]


async def report(browser: Browser, who: Customer = HONG, /, **fields: str) -> str:
    """From the page to its answer; where it led."""
    await browser.get("/incident")
    answer = await browser.send("/incident", {"banking_id": who.banking_id, "idn": who.idn.reveal(), **fields})
    return answer.headers.get("location", str(answer.status_code))


async def status(world: World) -> str:
    (row,) = await world.rows("binding")
    return str(row["status"])


async def kept(world: World) -> list[int]:
    """How many rows there are of what a report may write."""
    return [len(await world.rows(table)) for table in ("ledger_issued", "outbox", "audit", "flow")]


def words(page: str) -> str:
    """The page's main part, without what is of one report alone."""
    return re.sub(r'name="(report|csrf)" value="[^"]*"', "", page.partition("<main")[2].partition("</main>")[0])


def test_E11_two_facts_suspend_and_nothing_more_and_the_person_hears_of_it(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        owner, authority = world.browser(), Authority()
        await owner.present(party())
        led = await report(world.browser())
        assert led.startswith("/incident/received?report=")
        *_, text = await work(world, authority)  # after the notice of the new device
        assert await status(world) == "SUSPENDED" and authority.asked == [(party().certificate.serial, 6)]
        assert "정지했습니다" in text and "회복" in text and "http" not in text
        assert await world.results("incident.suspend") == ["ok"] == await world.results("incident.authority")
        # Whoever is in by the certificate is out, and nobody gets in by it; the way out is on the page.
        assert (await owner.get("/loan")).status_code == 303
        refused = await world.browser().present(party())
        assert refused.status_code == 403 and "/incident/resume" in refused.text and "효력이 정지된" in refused.text
        assert (await world.results("login.certificate"))[-1] == "binding-suspended"

    told(store_url, tmp_path, story)


def test_E11_who_reports_while_logged_in_by_the_certificate_sees_the_report_and_confirms_it(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        owner = world.browser()
        await owner.present(party())
        led = await report(owner, telephone="yes")
        *_, text = await work(world, Authority())
        # The report has ended the session that it was made in.
        page = await owner.get(led)
        assert page.status_code == 200 and 'name="code"' in page.text
        assert (await owner.get("/loan")).status_code == 303
        await owner.get(led)
        sent = re.search(r"#(\d{6})", "".join(sms.text for sms in world.phone.sent.values() if "#" in sms.text))
        assert sent is not None, text
        answer = await owner.send("/incident/confirm", {"report": led.partition("=")[2], "code": sent[1]})
        assert answer.status_code == 303, answer.text
        # Another browser knows nothing of it.
        assert (await world.browser().get(led)).status_code == 303

    told(sqlite_url, tmp_path, story)


def test_E11_a_second_report_is_the_same_answer_and_tells_nobody_again(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        browser, authority, pages = world.browser(), Authority(), []
        for _ in range(2):
            pages.append(words((await browser.get(await report(browser))).text))
            await work(world, authority)
        assert pages[0] == pages[1] and len(authority.asked) == 1 and len(world.phone.sent) == 1
        assert await world.results("incident.suspend") == ["ok", "already"]

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(
    "fields", [{"idn": "8003031234567"}, {"banking_id": "nobody123"}, {"banking_id": KIM.banking_id}]
)  # fmt: skip
def test_E11_F8_whoever_does_not_match_gets_the_same_answer_by_the_same_work(
    fields: dict[str, str], sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        asked: list[str] = []
        by_banking_id = world.ports.customers.by_banking_id

        async def watched(banking_id: str) -> Any:
            asked.append(banking_id)
            return await by_banking_id(banking_id)

        world.ports.customers.by_banking_id = watched  # type: ignore[method-assign]
        right, wrong, pages, added = world.browser(), world.browser(), [], []
        for browser, typed in ((wrong, fields), (right, {})):
            before = await kept(world)
            pages.append(words((await browser.get(await report(browser, HONG, **{"telephone": "yes", **typed}))).text))
            added.append([now - then for now, then in zip(await kept(world), before, strict=True)])
            if browser is wrong:
                await work(world, Authority())
                assert await status(world) == "ACTIVE" and world.phone.sent == {}
                assert await world.results("incident.suspend") == ["unmatched"]
        assert pages[0] == pages[1] and added[0] == added[1] == [1, 1, 1, 0]
        assert len(asked) == 1, "the request looks nobody up; the outbox does"

    told(sqlite_url, tmp_path, story)


def test_E11_the_number_lies_nowhere_in_clear(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        await report(world.browser(), telephone="yes")
        assert HONG.idn.reveal().encode() not in world.everything_kept()

    told(sqlite_url, tmp_path, story)


def test_E11_a_suspended_binding_still_keeps_others_and_its_own_person_from_the_certificate(
    store_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        await report(world.browser())
        await work(world, Authority())
        ports = world.ports
        bindings = Bindings(ports.store, ports.digests, ports.fields)
        policy = policies.lookup(party().certificate.issuer, party().certificate.policy_oid)
        assert policy is not None
        for who in (KIM, HONG):
            made = await bindings.change(
                ToBind(who, party().certificate, policy, world.clock.now(), "s"), None
            )  # fmt: skip
            assert isinstance(made.rows[-1], Insert)
            with pytest.raises(Conflict):
                await ports.store.save(Save(rows=made.rows))
        # A new certificate takes the suspended one's place.
        standing = await bindings.standing(HONG)
        other = party(key_name="rsa2048-03", serial=7).certificate
        made = await bindings.change(ToBind(HONG, other, policy, world.clock.now(), "s"), standing)
        await ports.store.save(Save(rows=made.rows))
        assert sorted(str(row["status"]) for row in await world.rows("binding")) == ["ACTIVE", "REPLACED"]

    told(store_url, tmp_path, story)


async def resume(world: World, one: Person) -> str:
    """회복 to its end."""
    await one.log_in()
    await one.look("/incident/resume")
    await one.post("/incident/resume/begin")
    await one.post("/incident/resume/factor/request", {"method": "sms"})
    await work(world, Authority())
    await one.post("/incident/resume/factor", one.proof())
    return await one.post("/incident/resume/resume")


def test_E11_resuming_needs_login_and_additional_authentication(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        await report(world.browser())
        await work(world, Authority())
        stranger = world.browser()
        await stranger.get("/incident")
        for path in ("begin", "resume", "factor"):
            answer = await stranger.send(f"/incident/resume/{path}", {"run": "1", "version": "1"})
            assert answer.status_code == 401 or answer.headers["location"].startswith("/login")
        one = Person(world, world.browser())
        await one.log_in()
        await one.look("/incident/resume")
        await one.post("/incident/resume/resume")
        await one.post("/incident/resume/begin")
        await one.post("/incident/resume/resume")  # ② was not proved
        guess = {
            "method": "sms",
            "code": "000000",
            "number_back": HONG.idn.reveal()[6:],
            "phone_back": HONG.mobile[-4:],
        }
        await one.post("/incident/resume/factor", guess)
        await one.post("/incident/resume/resume")
        await one.post("/incident/resume/factor/device", {"device_answer": "{}"})
        assert await status(world) == "SUSPENDED"
        page = await resume(world, Person(world, world.browser()))
        assert "회복했습니다" in page and await status(world) == "ACTIVE"
        authority = Authority()
        texts = await work(world, authority)
        assert authority.asked == [(party().certificate.serial, 8)] and "회복했습니다" in texts[-1]
        assert (await world.browser().present(party())).headers["location"] == "/loan"
        (row,) = await world.rows("binding")
        assert row["ended_at"] is None

    told(store_url, tmp_path, story)


def test_F10_E11_a_copied_session_cookie_does_not_get_into_a_resumption_that_was_begun(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        await report(world.browser())
        await work(world, Authority())
        one, thief = Person(world, world.browser()), world.browser()
        await one.log_in()
        for _ in range(2):
            await one.look("/incident/resume")
        await one.post("/incident/resume/begin")
        thief.plant("ingam-center", one.browser.cookie)
        assert (await thief.get("/incident/resume")).headers["location"].startswith("/login")
        assert (await one.browser.get("/incident/resume")).status_code == 200

    told(sqlite_url, tmp_path, story)


def test_E11_a_proof_for_something_else_resumes_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        await report(world.browser())
        await work(world, Authority())
        one = Person(world, world.browser())
        await one.log_in()
        await one.apply()
        await one.begin("device")
        await one.post("/protection/factor/request", {"method": "sms"})
        await work(world, Authority())
        await one.post("/protection/factor", one.proof())
        await one.look("/incident/resume")
        await one.post("/incident/resume/begin")
        await one.post("/incident/resume/factor", one.proof())  # the code of the device
        await one.post("/incident/resume/resume")
        assert await status(world) == "SUSPENDED"

    told(sqlite_url, tmp_path, story)


def test_E11_no_route_revokes_without_login(sqlite_url: str, tmp_path: Path) -> None:
    """Every POST of the center, by a visitor who knows ID and number: at most a suspension comes of it."""

    async def story(world: World) -> None:
        await world.bind(HONG, party())
        paths = {
            re.sub(r"\{[^}]*\}", "x", route.path)
            for route in world.app.routes
            if isinstance(route, Route) and "POST" in (route.methods or ())
        }
        assert {"/incident", "/incident/resume/resume", "/registration/identify"} <= paths
        browser, authority = world.browser(), Authority()
        await browser.get("/incident")
        facts = {
            "banking_id": HONG.banking_id, "idn": HONG.idn.reveal(), "reason": "1", "run": "1", "version": "1",
            "serial": f"{party().certificate.serial:x}", "status": "REVOKED", "revoke": "yes",
        }  # fmt: skip
        for path in sorted(paths):
            await browser.send(path, facts)
            browser.world.clock.forward(1)
        await work(world, authority)
        assert {reason for _, reason in authority.asked} == {suspending.HOLD}
        assert await status(world) == "SUSPENDED"

    told(sqlite_url, tmp_path, story)


def test_E11_an_authority_that_is_away_is_asked_again_and_by_what_stands_then(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        await report(world.browser())
        await work(world, Authority(down=True))
        assert await status(world) == "SUSPENDED", "here it is suspended whether the authority answers or not"
        await resume(world, Person(world, world.browser()))
        world.clock.forward(120)
        authority = Authority()
        await work(world, authority)
        assert authority.asked and {reason for _, reason in authority.asked} == {suspending.REMOVE}

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(
    ("authority", "result", "asked"),
    [(Authority(ours=False), "not-ours", 0), (Authority(refuses=True), "certification-refused", 1)],
)
def test_another_issuer_is_not_asked_and_a_refusal_is_written_down(
    authority: Authority, result: str, asked: int, sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        authority.asked.clear()
        await world.bind(HONG, party())
        await report(world.browser())
        await work(world, authority)
        assert await world.results("incident.authority") == [result] and len(authority.asked) == asked
        assert await status(world) == "SUSPENDED"

    told(sqlite_url, tmp_path, story)


def test_E11_the_registered_telephone_confirms_where_it_is_at_hand_and_is_not_needed(
    store_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        browser = world.browser()
        led = await report(browser, telephone="yes")
        texts = await work(world, Authority())
        assert await status(world) == "SUSPENDED" and len(texts) == 2
        code = next(found[1] for text in texts if (found := re.search(r"#(\d{6})", text)))
        page = (await browser.get(led)).text
        fields = {"report": led.rpartition("=")[2]}
        wrong = await browser.send("/incident/confirm", {**fields, "code": f"{(int(code) + 1) % 10**6:06d}"})
        assert wrong.status_code == 422 and "확인 번호가 맞지 않습니다" in wrong.text
        # Another session knows nothing of this report.
        other = world.browser()
        await other.get("/incident")
        assert (await other.send("/incident/confirm", {**fields, "code": code})).headers["location"] == "/incident"
        assert (await browser.send("/incident/confirm", {**fields, "code": code})).status_code == 303
        assert "확인됨" in (await browser.get(led)).text and "확인됨" not in page
        assert (await browser.send("/incident/confirm", {**fields, "code": code})).status_code == 409
        assert await world.results("incident.confirm") == ["incident-code-wrong", "ok"]

    told(store_url, tmp_path, story)


def test_E2_a_confirming_number_is_tried_five_times_and_for_three_minutes(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await world.bind(HONG, party())
        for wait in (0, 181):
            led = await report(browser, telephone="yes")
            texts = await work(world, Authority())
            code = next(found[1] for text in texts if (found := re.search(r"#(\d{6})", text)))
            fields = {"report": led.rpartition("=")[2]}
            if wait:
                world.clock.forward(wait)
            else:
                for _ in range(5):
                    await browser.send("/incident/confirm", {**fields, "code": f"{(int(code) + 1) % 10**6:06d}"})
            assert (await browser.send("/incident/confirm", {**fields, "code": code})).status_code == 409
        assert "ok" not in await world.results("incident.confirm")

    told(sqlite_url, tmp_path, story)


def test_E9_a_number_changed_today_confirms_nothing_and_pumping_ends(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browsers = [world.browser(f"198.51.100.{number}") for number in range(5)]
        for browser in browsers:
            await report(browser, telephone="yes")
        texts = await work(world, Authority())
        assert sum("확인 번호" in text for text in texts) == suspending.CODES_A_DAY
        change = await world.ports.customers.new_number(KIM, Number.MOBILE, "01085130000", world.clock.now())
        await world.ports.store.save(Save(rows=[change]))
        await report(world.browser("198.51.100.9"), KIM, telephone="yes")
        assert not any("확인 번호" in text for text in await work(world, Authority()))

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("crowd", ["id", "network"])
def test_F9_reports_of_an_id_and_from_a_network_are_bounded_whoever_matches(
    crowd: str, sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        address: Callable[[int], str] = lambda n: f"198.51.100.{n}" if crowd == "id" else "198.51.100.7"  # noqa: E731
        for number in range(3):
            fields = {} if crowd == "id" else {"banking_id": f"nobody{number:02}"}
            led = await report(world.browser(address(number)), HONG, **fields)
        assert led == "429" and len(await world.results("incident.report")) == 2

    told(sqlite_url, tmp_path, story, incidents_an_hour=2, address_incidents_an_hour=2)


def test_who_has_nothing_registered_is_told_so_and_a_firm_reports_by_its_number(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await report(world.browser(), FIRM)
        (text,) = await work(world, Authority())
        assert "정지할 인증서가 없습니다" in text and await world.results("incident.suspend") == ["nothing"]

    told(sqlite_url, tmp_path, story)


def test_what_is_typed_wrong_is_said_beside_the_field_and_the_number_never_comes_back(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        assert await report(browser, banking_id="x", idn="7510052") == "422"
        assert "7510052" not in browser.page and 'value="x"' in browser.page
        assert (await browser.get("/incident/received?report=" + "0" * 32)).headers["location"] == "/incident"

    told(sqlite_url, tmp_path, story)


def test_F5_E11_a_suspended_certificate_signs_no_act(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        one = Person(world, world.browser())
        await one.log_in()
        await one.begin("contact", "work_phone")
        await one.post("/protection/factor/request", {"method": "sms"})
        await work(world, Authority())
        await one.post("/protection/factor", one.proof())
        told_to_sign = await one.ask("/protection/sign", {"by": "certificate", "number": "027805678"})
        await report(world.browser())
        await work(world, Authority())
        fields = {"by": "certificate", "number": "027805678", "nonce": told_to_sign["nonce"]}
        await one.post("/protection/change", fields | {"signed": signed(party(), told_to_sign, one.now)})
        assert one.status == 403 and "효력이 정지된 인증서입니다" in one.page
        (customer,) = [await world.ports.customers.by_banking_id(HONG.banking_id)]
        assert customer is not None and customer.work_phone != "027805678"

    told(sqlite_url, tmp_path, story)
