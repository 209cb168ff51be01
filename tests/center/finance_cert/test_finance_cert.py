"""금융인증서 in the center: registered, logged in with, released; and all that is refused on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.center.protection.person import Person, deliver
from tests.center.registration import world as registration
from tests.center.world import FIRM, HONG, KIM, World, party, told
from tests.npki import certs
from tests.npki.certs import Party

from ingam.customer.availability import Way
from ingam.customer.availability.setting import Switch, switch
from ingam.kernel.secret import Secret
from ingam.npki import cms, der
from ingam.page import Bundle
from ingam.ports.finance_cert import Asked, FinanceCertOutage, FinanceCertUnfinished, Signed, Stage, Started
from ingam.ports.status import Authorities, IssuingAuthority, Revoked, Source
from ingam.ports.store import Save, Update
from ingam.run import center
from ingam.settings import Settings

POLICY = "1.2.410.200005.1.1.1.10"
YESSIGN = certs.name(("C", "KR"), ("O", "yessign"), ("OU", "AccreditedCA"), ("CN", "yessignCA Class 3 (test)"))
CLOUD = "http://localhost:8708"


def yessign() -> Party:
    return certs.ca(subject=YESSIGN, serial=4140)


def finance(serial: int = 0x77, key_name: str = "rsa2048-04", policy: str = POLICY) -> Party:
    """홍길동's in the cloud."""
    return party(issuer=yessign(), policy=policy, serial=serial, key_name=key_name)


@dataclass
class Cloud:
    """The provider: its person signs as soon as the window is looked at."""

    world: World
    holder: Party = field(default_factory=finance)
    name: str = HONG.name
    born: date = date(1975, 10, 5)
    random: bytes | None = registration.R
    down: bool = False
    asked: dict[str, Asked] = field(default_factory=dict)

    async def start(self, asked: Asked) -> Started:
        if self.down:
            raise FinanceCertOutage(cause="timeout")
        transaction = f"{len(self.asked):032x}"
        self.asked[transaction] = asked
        return Started(
            transaction, f"{CLOUD}/window/{transaction}", self.world.clock.now() + timedelta(seconds=300)
        )  # fmt: skip

    async def verify(self, transaction: str, proof: str) -> Signed:
        if proof != f"proof-of-{transaction}":
            raise FinanceCertUnfinished(stage=Stage.UNKNOWN)
        made = cms.sign_data(
            self.asked[transaction].text, self.holder.certificate, self.holder.key,
            signing_time=self.world.clock.now(),
        )  # fmt: skip
        return Signed(made, self.name, self.born, None if self.random is None else Secret(self.random))

    def back(self) -> str:
        """Where the newest window leads back to."""
        transaction, asked = list(self.asked.items())[-1]
        return f"{asked.return_to.removeprefix(self.world.origin)}?proof=proof-of-{transaction}"


def with_cloud(world: World) -> Cloud:
    """The center of this world has a provider."""
    cloud, ca, root = Cloud(world), yessign().certificate, certs.root().certificate
    known = IssuingAuthority("yessign", ca, root, (), "http://ocsp.test", "", "http://arl.test")
    trusted = Authorities({**world.ports.authorities.by_fingerprint, ca.fingerprint: known})
    world.ports = replace(world.ports, finance=cloud, authorities=trusted)
    world.app = center.app(
        Settings(mode="test", center_origin=world.origin), world.ports, Bundle({"center.css": "center-0.css"})
    )  # fmt: skip
    return cloud


async def to_open(one: Person) -> str:
    """From the login to the page before the window."""
    await one.log_in()
    await one.look("/finance-cert")
    await one.post("/finance-cert/begin", {"kind": "register"})
    await prove(one)
    return await one.post("/finance-cert/open")


async def prove(one: Person) -> None:
    """By SMS; a code of a minute later than the one before."""
    one.world.clock.forward(61)
    await one.post("/finance-cert/factor/request", {"method": "sms"})
    await deliver(one.world)
    await one.post("/finance-cert/factor", one.proof())


async def register(world: World, cloud: Cloud) -> Person:
    """등록 to its end."""
    one = Person(world, world.browser())
    await to_open(one)
    await one.look(cloud.back())
    return one


async def enter(world: World, cloud: Cloud) -> Person:
    """금융인증서 로그인 in a fresh browser, as far as it gets."""
    one = Person(world, world.browser())
    await one.look("/login?way=fin&then=/protection")
    page = await one.post("/login/finance/open", {"then": "/protection"})
    assert f"{CLOUD}/window/" in page
    await one.look(cloud.back())
    return one


def test_it_is_registered_opens_a_session_of_its_own_level_and_is_released(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        cloud = with_cloud(world)
        one = await register(world, cloud)
        answer = await one.browser.get("/finance-cert?done=register")
        assert "금융인증서를 등록했습니다" in answer.text
        (row,) = await world.rows("finance_binding")
        assert (row["status"], row["policy_oid"]) == ("ACTIVE", POLICY)
        assert await world.results("finance.register") == ["ok"]
        assert cloud.asked[f"{0:032x}"].text.startswith(b"INGAM-FINANCE/1\npurpose: register\n")
        # E1: the code names what it is for, and is for nothing of the joint certificate's.
        assert sum("금융인증서 등록 인증번호" in text for text in await deliver_texts(world)) == 1

        inside = await enter(world, cloud)
        answer = await inside.browser.client.get(cloud.back())
        assert answer.status_code != 303 or "/login" in answer.headers["location"]  # once
        assert [row["level"] for row in await world.rows("session", level="finance")] == ["finance"]
        assert await world.results("login.finance") == ["ok", "nonce-invalid"]
        # What is signed for asks for a joint certificate still.
        assert "/login?way=cert" in (await inside.browser.get("/loan")).headers.get("location", "")

        await one.look("/finance-cert")
        await one.post("/finance-cert/begin", {"kind": "release"})
        await prove(one)
        assert "해제했습니다" in await one.post("/finance-cert/release")
        (row,) = await world.rows("finance_binding")
        assert row["status"] == "RELEASED"
        await enter(world, cloud)
        assert (await world.results("login.finance"))[-1] == "finance-not-registered"
        (over,) = await world.rows("session", level="finance")
        assert over["ended_by"] == "replaced"
        assert sum("금융인증서 해제 인증번호" in text for text in await deliver_texts(world)) == 1

    told(store_url, tmp_path, story)


async def deliver_texts(world: World) -> list[str]:
    await deliver(world)
    return [sms.text for sms in world.phone.sent.values()]


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda cloud: setattr(cloud, "name", KIM.name), "name"),
        (lambda cloud: setattr(cloud, "born", date(1975, 10, 6)), "birth-date"),
        (lambda cloud: setattr(cloud, "random", None), "vid-missing"),
        (lambda cloud: setattr(cloud, "random", der.bits(bytes(20))), "vid-mismatch"),
    ],
)
def test_E7_A14_somebody_elses_is_refused_by_name_birth_date_and_vid(
    change: Callable[[Cloud], None], cause: str, sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        cloud = with_cloud(world)
        change(cloud)
        one = await register(world, cloud)
        assert "고객님의 금융인증서가 아닙니다" in one.page
        assert await world.results("finance.register") == ["finance-cert-foreign"]
        assert await world.rows("finance_binding") == []

    told(sqlite_url, tmp_path, story)


def test_A17_one_that_is_of_another_number_than_the_accounts_opens_no_session(sqlite_url: str, tmp_path: Path) -> None:
    """As at a union whose head changed: it was registered by the one before."""

    async def story(world: World) -> None:
        cloud = with_cloud(world)
        await register(world, cloud)
        (row,) = await world.rows("finance_binding")
        assert row["head"] == ""  # of a person there is nothing to keep
        changed = Update("finance_binding", {"binding_id": row["binding_id"]}, {"head": "00" * 32})
        await world.ports.store.save(Save(rows=[changed]))
        await enter(world, cloud)
        assert await world.results("login.finance") == ["login-unregistered"]

    told(sqlite_url, tmp_path, story)


def test_A9_only_a_finance_certificate_registers_here_and_it_registers_nowhere_else(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        cloud = with_cloud(world)
        cloud.holder = finance(policy="1.2.410.200005.1.1.1")
        await register(world, cloud)
        assert await world.results("finance.register") == ["policy-not-accepted"]
        await world.browser().present(finance())
        assert (await world.results("login.certificate"))[-1] == "policy-not-accepted"

    told(sqlite_url, tmp_path, story)


def test_E7_another_browser_gets_nothing_of_a_window(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        cloud = with_cloud(world)
        await register(world, cloud)
        victim, thief = Person(world, world.browser()), Person(world, world.browser())
        await thief.look("/login?way=fin")
        await thief.post("/login/finance/open", {"then": "/"})
        # The window's address was sent to the owner, who signs; the owner's browser comes back with the word.
        await victim.look(cloud.back())
        assert (await world.results("login.finance"))[-1] == "nonce-invalid"
        # Whoever sent it has the address, not the word.
        await thief.look(cloud.back().partition("?")[0] + "?proof=guessed")
        assert (await world.results("login.finance"))[-1] == "finance-cert-unfinished"
        assert await world.rows("session", level="finance") == []

    told(sqlite_url, tmp_path, story)


def test_A17_a_renewed_one_opens_no_session_until_it_is_registered_anew(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        cloud = with_cloud(world)
        await register(world, cloud)
        cloud.holder = finance(serial=0x78, key_name="rsa2048-05")
        await enter(world, cloud)
        assert await world.results("login.finance") == ["finance-rebind"]
        await register(world, cloud)
        assert await world.results("finance.register") == ["ok", "ok"]
        assert sorted(str(row["status"]) for row in await world.rows("finance_binding")) == ["ACTIVE", "REPLACED"]
        await enter(world, cloud)
        assert (await world.results("login.finance"))[-1] == "ok"

    told(sqlite_url, tmp_path, story)


def test_a_revoked_one_and_a_silent_provider_open_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        cloud = with_cloud(world)
        await register(world, cloud)
        world.statuses.answers[cloud.holder.certificate.fingerprint] = Revoked(
            Source.OCSP, world.clock.now(), datetime(2026, 1, 1, tzinfo=UTC), "keyCompromise"
        )
        await enter(world, cloud)
        assert (await world.results("login.finance"))[-1] == "cert-revoked"
        cloud.down = True
        one = Person(world, world.browser())
        await one.look("/login?way=fin")
        assert "응답하지 않습니다" in await one.post("/login/finance/open", {"then": "/"})

    told(sqlite_url, tmp_path, story)


def test_a_company_is_told_that_it_has_none(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        with_cloud(world)
        one = Person(world, world.browser(), FIRM)
        await one.log_in()
        await one.look("/finance-cert")
        assert "개인 고객만" in await one.post("/finance-cert/begin", {"kind": "register"})

    told(sqlite_url, tmp_path, story)


def test_B5_no_page_of_ours_lets_anything_of_the_window_in(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        with_cloud(world)
        one = Person(world, world.browser())
        await to_open(one)
        for path in ("/login?way=fin", "/finance-cert"):
            answer = await one.browser.get(path)
            policy = answer.headers["content-security-policy"]
            assert CLOUD not in policy and "fincert" not in policy and "form-action 'self'" in policy
            assert f'src="{CLOUD}' not in answer.text and "<iframe" not in answer.text

    told(sqlite_url, tmp_path, story)


def test_without_a_provider_the_tab_and_the_page_say_so(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        assert "쓸 수 없습니다" in (await browser.get("/login?way=fin")).text
        assert "쓸 수 없습니다" in (await browser.get("/finance-cert")).text

    told(sqlite_url, tmp_path, story)


def test_its_switch_is_told_on_tab_and_page_with_its_reason_and_release_goes_on(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        cloud, reason = with_cloud(world), "금융결제원이 점검하고 있습니다."
        one = await register(world, cloud)
        await one.look("/login?way=fin")
        wanted = Switch(Way.FINANCE, True, reason, "Its provider is being maintained.")
        await world.ports.store.save(Save(rows=await switch(world.ports.store, wanted, "E1001", world.clock.now())))
        world.clock.forward(6)
        for path in ("/login?way=fin", "/finance-cert"):
            page = (await world.browser().get(path)).text
            assert reason in page and 'action="/login/finance/open"' not in page
        page = await one.look("/finance-cert")
        assert reason in page and 'value="register"' not in page and 'value="release"' in page
        for path in ("/login/finance/open", "/finance-cert/open"):
            answer = await one.browser.send(path, {"then": "/"})
            assert answer.status_code == 503 and reason in answer.text
        assert (await one.browser.get("/login?way=id")).status_code == 200

    told(sqlite_url, tmp_path, story)
