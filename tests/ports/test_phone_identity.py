"""What every identity by telephone promises (`ingam.ports.phone_identity`): PortOne v2 against the sandbox's agency."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.clocks import SetClock
from tests.ports.outside import WAIT_S, Outside, assert_silent, outside, run

from ingam.adapters.phone_identity.portone import PortOne
from ingam.kernel.errors import Failure, Refusal
from ingam.kernel.secret import Secret
from ingam.ports.phone_identity import (
    CODE_S,
    TRIES,
    Asked,
    Carrier,
    Gender,
    Identity,
    Method,
    PhoneIdentityExpired,
    PhoneIdentityMismatch,
    PhoneIdentityOutage,
    PhoneIdentityPending,
    PhoneIdentityTooMany,
    PhoneIdentityWrong,
)
from ingam.sandbox.people import PEOPLE, Person, person
from ingam.sandbox.phone_identity import SENDS, UnknownApproval
from ingam.sandbox.switches import PARTIES

HONG = person("hong")
NATURAL = [one for one in PEOPLE if one.natural]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Outside]:
    made = outside(tmp_path)
    yield made
    made.box.phones.close()


def asked(one: Person = HONG, method: Method = Method.SMS) -> Asked:
    return Asked("flow:1", one.name, Secret(one.idn[:7]), one.mobile, Carrier(one.carrier), method)


def walk(
    sandbox: Outside | httpx2.AsyncBaseTransport, steps: Callable[[PortOne], Awaitable[Any]], wait_s: float = 5
) -> Any:
    transport = sandbox.transport if isinstance(sandbox, Outside) else sandbox
    clock = sandbox.clock if isinstance(sandbox, Outside) else SetClock()

    async def once() -> Any:
        async with PortOne(
            "http://localhost:1/portone/", secret=Secret("s3cret"), channel="channel-1", clock=clock,
            transport=transport, answer_s=wait_s,
        ) as portone:  # fmt: skip
            return await steps(portone)

    return run(once)


def code_of(sandbox: Outside, mobile: str = HONG.mobile) -> Secret[str]:
    """The code of the newest SMS."""
    found = re.search(r"\b(\d{6})\b", sandbox.texts(mobile)[0])
    assert found is not None
    return Secret(found[1])


def other(code: Secret[str]) -> Secret[str]:
    return Secret(f"{(int(code.reveal()) + 1) % 1_000_000:06}")


@pytest.mark.parametrize("one", NATURAL, ids=lambda one: one.key)
def test_who_types_the_code_is_the_holder_of_the_telephone(sandbox: Outside, one: Person) -> None:
    async def steps(portone: PortOne) -> Identity:
        started = await portone.start(asked(one))
        assert started.expires == sandbox.clock.now() + timedelta(seconds=CODE_S)
        return await portone.confirm(started.transaction, code_of(sandbox, one.mobile))

    found = walk(sandbox, steps)
    assert (found.name, found.birth_date, found.mobile) == (one.name, one.birth_date, one.mobile)
    assert (found.carrier, found.foreigner) == (one.carrier, one.foreigner)
    assert found.gender is (Gender.MALE if one.male else Gender.FEMALE)
    assert (len(found.ci), len(found.di)) == (88, 64)


def test_the_people_are_of_every_kind() -> None:
    found = {one.key: (one.birth_date, one.male, one.foreigner, one.carrier) for one in NATURAL}
    assert found["mia"] == (date(2002, 3, 4), False, True, "LGU")
    assert found["alex"] == (date(1990, 1, 1), True, True, "KT")
    assert found["jung"][3] == "SKT_MVNO"


def test_the_identifier_is_the_persons_own_and_stays_the_same(sandbox: Outside) -> None:
    async def steps(portone: PortOne) -> list[str]:
        found = []
        for one in (HONG, HONG, person("kim")):
            started = await portone.start(asked(one))
            identity = await portone.confirm(started.transaction, code_of(sandbox, one.mobile))
            found.append(identity.ci.reveal() + identity.di.reveal())
        return found

    first, again, somebody_else = walk(sandbox, steps)
    assert first == again != somebody_else


def test_H1_an_identity_does_not_print(sandbox: Outside) -> None:
    async def steps(portone: PortOne) -> str:
        question = asked()
        started = await portone.start(question)
        return f"{question} {started} {await portone.confirm(started.transaction, code_of(sandbox))}"

    told = walk(sandbox, steps)
    assert not [value for value in (HONG.name, HONG.idn[:7], HONG.mobile, "7510", "1975") if value in told]


def test_E7_a_transaction_cannot_be_guessed_and_another_ones_is_unknown(sandbox: Outside) -> None:
    async def steps(portone: PortOne) -> tuple[str, str]:
        one, two = (await portone.start(asked()), await portone.start(asked()))
        for unknown in ("0" * 32, "", "../identity-verifications", one.transaction[:-1], one.transaction + "/x"):
            with pytest.raises(PhoneIdentityExpired):
                await portone.confirm(unknown, Secret("000000"))
            with pytest.raises(PhoneIdentityExpired):
                await portone.resend(unknown)
        return one.transaction, two.transaction

    one, two = walk(sandbox, steps)
    assert len(one) == len(two) == 32
    assert one != two


DIFFERENT = [
    replace(asked(), name="홍길순"),
    replace(asked(), identity7=Secret("7510052")),
    replace(asked(), mobile="01085130002"),
    replace(asked(), mobile="01085130004"),
    replace(asked(), mobile="01099999999"),
    replace(asked(), carrier=Carrier.SKT_MVNO),
    replace(asked(), carrier=Carrier.KT),
]


@pytest.mark.parametrize("question", DIFFERENT)
def test_another_holder_or_carrier_is_refused_and_nothing_is_sent(sandbox: Outside, question: Asked) -> None:
    refused(sandbox, PhoneIdentityMismatch, lambda portone: portone.start(question))
    assert sandbox.box.phones.numbers() == {}


@pytest.mark.parametrize("position", ["wrong-holder", "carrier-mismatch"])
def test_the_switches_refuse_everybody_until_they_are_turned_back(sandbox: Outside, position: str) -> None:
    sandbox.switches.turn("party", "phone-identity", position)
    refused(sandbox, PhoneIdentityMismatch, lambda portone: portone.start(asked()))
    sandbox.switches.turn("party", "phone-identity", "slow")
    walk(sandbox, lambda portone: portone.start(asked()))


def refused(sandbox: Outside, kind: type[Failure], act: Callable[[PortOne], Awaitable[object]]) -> Failure:
    with pytest.raises(kind) as raised:
        walk(sandbox, act)
    assert_silent(raised.value)
    return raised.value


def test_the_agency_may_confirm_somebody_else_and_who_asks_compares(sandbox: Outside) -> None:
    sandbox.switches.turn("party", "phone-identity", "other-person")

    async def steps(portone: PortOne) -> Identity:
        started = await portone.start(asked())
        return await portone.confirm(started.transaction, code_of(sandbox))

    assert walk(sandbox, steps).name != HONG.name


def test_five_wrong_codes_end_it_and_each_tells_how_many_are_left(sandbox: Outside) -> None:
    async def steps(portone: PortOne) -> None:
        started = await portone.start(asked())
        for left in range(TRIES - 1, 0, -1):
            with pytest.raises(PhoneIdentityWrong) as raised:
                await portone.confirm(started.transaction, other(code_of(sandbox)))
            assert (raised.value.code, raised.value.facts) == ("phone-identity-wrong", {"n": left})
        for code in (other(code_of(sandbox)), code_of(sandbox), Secret("")):
            with pytest.raises(PhoneIdentityTooMany):
                await portone.confirm(started.transaction, code)

    walk(sandbox, steps)


def test_a_right_code_after_wrong_ones_is_right(sandbox: Outside) -> None:
    async def steps(portone: PortOne) -> Identity:
        started = await portone.start(asked())
        for wrong in (other(code_of(sandbox)), Secret(""), Secret("x" * 500), Secret("가나다라마바")):
            with pytest.raises(PhoneIdentityWrong):
                await portone.confirm(started.transaction, wrong)
        return await portone.confirm(started.transaction, code_of(sandbox))

    assert walk(sandbox, steps).name == HONG.name


@pytest.mark.parametrize("method", Method)
def test_after_three_minutes_it_is_over(sandbox: Outside, method: Method) -> None:
    async def steps(portone: PortOne) -> None:
        started = await portone.start(asked(method=method))
        code = code_of(sandbox) if method is Method.SMS else Secret("")
        sandbox.clock.forward(CODE_S)
        with pytest.raises(PhoneIdentityExpired):
            await portone.confirm(started.transaction, code)

    walk(sandbox, steps)


def test_a_new_code_voids_the_one_before_and_has_three_minutes_of_its_own(sandbox: Outside) -> None:
    async def steps(portone: PortOne) -> Identity:
        started = await portone.start(asked())
        before = code_of(sandbox)
        sandbox.clock.forward(100)
        again = await portone.resend(started.transaction)
        assert (again.transaction, again.expires) == (started.transaction, started.expires + timedelta(seconds=100))
        while code_of(sandbox) == before:  # one in a million
            await portone.resend(started.transaction)
        with pytest.raises(PhoneIdentityWrong):
            await portone.confirm(started.transaction, before)
        sandbox.clock.forward(100)
        return await portone.confirm(started.transaction, code_of(sandbox))

    assert walk(sandbox, steps).name == HONG.name


def test_a_code_is_not_sent_for_ever(sandbox: Outside) -> None:
    async def steps(portone: PortOne) -> None:
        started = await portone.start(asked())
        for _ in range(SENDS - 1):
            await portone.resend(started.transaction)
        with pytest.raises(PhoneIdentityTooMany):
            await portone.resend(started.transaction)

    walk(sandbox, steps)
    assert len(sandbox.texts(HONG.mobile)) == SENDS


def test_the_app_waits_for_the_button_on_the_telephone(sandbox: Outside) -> None:
    async def steps(portone: PortOne) -> Identity:
        started = await portone.start(asked(method=Method.APP))
        with pytest.raises(PhoneIdentityPending):
            await portone.confirm(started.transaction, Secret(""))
        now = sandbox.clock.now()
        with pytest.raises(UnknownApproval):
            sandbox.box.identities.approve("01085130002", started.transaction, now)
        [waiting] = sandbox.box.identities.waiting(HONG.mobile, now)
        sandbox.box.identities.approve(HONG.mobile, waiting.id, now)
        assert sandbox.box.identities.waiting(HONG.mobile, now) == []
        return await portone.confirm(started.transaction, Secret(""))

    assert walk(sandbox, steps).name == HONG.name
    assert sandbox.texts(HONG.mobile) == []


def test_what_was_confirmed_gives_the_same_again(sandbox: Outside) -> None:
    async def steps(portone: PortOne) -> tuple[Identity, Identity]:
        started = await portone.start(asked())
        code = code_of(sandbox)
        first = await portone.confirm(started.transaction, code)
        with pytest.raises(PhoneIdentityOutage):  # no third state: it neither sends nor tells a refusal
            await portone.resend(started.transaction)
        return first, await portone.confirm(started.transaction, code)

    first, again = walk(sandbox, steps)
    assert first == again


def test_a_confirmation_whose_answer_was_lost_is_found(sandbox: Outside) -> None:
    class Lossy(httpx2.AsyncBaseTransport):
        lost = False

        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            response = await sandbox.transport.handle_async_request(request)
            if request.url.path.endswith("/confirm") and not self.lost:
                self.lost = True
                raise httpx2.ReadError("canary 01085130001")
            return response

    async def steps(portone: PortOne) -> Identity:
        started = await portone.start(asked())
        with pytest.raises(PhoneIdentityOutage) as raised:
            await portone.confirm(started.transaction, code_of(sandbox))
        assert_silent(raised.value)
        return await portone.confirm(started.transaction, code_of(sandbox))

    assert walk(Lossy(), steps).name == HONG.name


@pytest.mark.parametrize(("position", "cause"), [("off", "status"), ("timeout", "timeout")])
def test_H1_a_silent_agency_is_an_outage_that_names_nobody_and_the_flow_goes_on(
    sandbox: Outside, position: str, cause: str
) -> None:
    async def steps(portone: PortOne) -> Identity:
        started = await portone.start(asked())
        sandbox.switches.turn("party", "phone-identity", position)
        for act in (
            portone.start(asked()),
            portone.resend(started.transaction),
            portone.confirm(started.transaction, code_of(sandbox)),
        ):
            with pytest.raises(PhoneIdentityOutage) as raised:
                await act
            assert raised.value.facts["cause"] == cause
            assert_silent(raised.value)
        sandbox.switches.turn("party", "phone-identity", "normal")
        return await portone.confirm(started.transaction, code_of(sandbox))

    assert walk(sandbox, steps, WAIT_S).name == HONG.name


def test_every_position_is_tried_here() -> None:
    tried = {"normal", "slow", "off", "timeout", "wrong-holder", "carrier-mismatch", "other-person"}
    assert set(PARTIES["phone-identity"]) == tried


CUSTOMER = {
    "name": "홍길동", "operator": "SKT", "phoneNumber": "01085130001", "birthDate": "1975-10-05", "gender": "MALE",
    "isForeigner": False, "ci": "c" * 88, "di": "d" * 64,
}  # fmt: skip


def test_the_messages_are_portones() -> None:
    sent: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        record = {"status": "VERIFIED", "verifiedCustomer": CUSTOMER}
        return httpx2.Response(200, json=record if request.method == "GET" else {})

    async def steps(portone: PortOne) -> str:
        started = await portone.start(asked())
        await portone.resend(started.transaction)
        await portone.confirm(started.transaction, Secret("012345"))
        return started.transaction

    transaction = walk(httpx2.MockTransport(answer), steps)
    at = f"http://localhost:1/portone/identity-verifications/{transaction}"
    assert [(one.method, str(one.url)) for one in sent] == [
        ("POST", f"{at}/send"), ("POST", f"{at}/resend"), ("POST", f"{at}/confirm"), ("GET", at),
    ]  # fmt: skip
    assert {one.headers["authorization"] for one in sent} == {"PortOne s3cret"}
    assert json.loads(sent[0].content) == {
        "channelKey": "channel-1",
        "customer": {"name": "홍길동", "phoneNumber": "01085130001", "identityNumber": "7510051"},
        "customData": "flow:1",
        "operator": "SKT",
        "method": "SMS",
    }
    assert json.loads(sent[2].content) == {"otp": "012345"}


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"status": "READY"},
        {"status": "READY", "verifiedCustomer": CUSTOMER},
        {"status": "VERIFIED"},
        {"status": "VERIFIED", "verifiedCustomer": []},
        *({"status": "VERIFIED", "verifiedCustomer": dict(CUSTOMER.items() - {one})} for one in CUSTOMER.items()),
        *(
            {"status": "VERIFIED", "verifiedCustomer": {**CUSTOMER, name: value}}
            for name, value in {
                "ci": "c" * 87, "di": "", "name": 7, "birthDate": "1975-13-05", "gender": "X", "operator": "OTHER",
            }.items()
        ),
    ],
)  # fmt: skip
def test_H1_a_record_that_is_not_whole_is_an_outage_that_names_nobody(record: dict[str, Any]) -> None:
    async def steps(portone: PortOne) -> None:
        await portone.confirm("0" * 32, Secret("012345"))

    with pytest.raises(PhoneIdentityOutage) as raised:
        walk(httpx2.MockTransport(lambda _: httpx2.Response(200, json=record)), steps)
    assert_silent(raised.value)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, {"type": "IDENTITY_VERIFICATION_NOT_SENT"}, PhoneIdentityExpired),
        (429, {"type": "MAX_TRANSACTION_COUNT_REACHED"}, PhoneIdentityTooMany),
        (502, {"type": "PG_PROVIDER", "pgCode": "OTP_MISMATCH"}, PhoneIdentityWrong),
        (502, {"type": "PG_PROVIDER", "pgCode": "NEVER_HEARD"}, PhoneIdentityOutage),
        (502, {"type": "PG_PROVIDER"}, PhoneIdentityOutage),
        (400, {"type": "INVALID_REQUEST", "pgCode": "OTP_MISMATCH"}, PhoneIdentityOutage),
        (401, {"type": "UNAUTHORIZED"}, PhoneIdentityOutage),
        (404, {}, PhoneIdentityOutage),
        (502, {"type": ["PG_PROVIDER"], "pgCode": {}}, PhoneIdentityOutage),
    ],
)
def test_a_refusal_is_read_by_its_codes(status: int, body: dict[str, Any], kind: type[Failure]) -> None:
    async def steps(portone: PortOne) -> None:
        await portone.confirm("0" * 32, Secret("012345"))

    with pytest.raises(kind) as raised:
        walk(httpx2.MockTransport(lambda _: httpx2.Response(status, json=body)), steps)
    assert_silent(raised.value)
    if isinstance(raised.value, Refusal) and kind is PhoneIdentityWrong:
        assert raised.value.code == "phone-identity-wrong-code"  # a provider that does not tell how many are left
