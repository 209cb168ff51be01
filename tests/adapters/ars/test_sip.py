"""Our SIP user agent where things go wrong: packets from elsewhere (E6), challenges, forged ends, no trunk."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.ports.sip_callee import EVENTS, Callee, Sounds, callee
from tests.ports.telephones import CALL

from ingam.adapters.ars.sip import Patience, SipArs
from ingam.adapters.ars.sip_line import Trunk
from ingam.adapters.ars.srtp import Srtp
from ingam.kernel.secret import Secret
from ingam.ports.ars import ArsOutage, CallState
from ingam.protocols.sip import message
from ingam.protocols.sip.message import Request, Response
from ingam.protocols.sip.transaction import Timers

PLACED, RINGING, ANSWERED = CallState.PLACED, CallState.RINGING, CallState.ANSWERED
Acts = dict[CallState, Callable[[Callee], Awaitable[None]]]
WHOLE = [PLACED, RINGING, ANSWERED]


async def answer(one: Callee) -> None:
    one.answer()


async def called(one: Callee, acts: Acts, caller: SipArs) -> list[CallState]:
    seen = []
    async for state in caller.place(CALL):
        seen.append(state)
        if state in acts:
            await acts[state](one)
    return seen


def walk(
    acts: Acts, *, before: Callable[[Request], Response | None] | None = None,
    voice: Sounds | None = None, patience: Patience | None = None, **trunk: Any,
) -> tuple[list[CallState], Callee]:  # fmt: skip
    """One call, with what is done at each state."""

    async def walked() -> tuple[list[CallState], Callee]:
        one = await callee()
        one.before = before
        facts: dict[str, Any] = {"secured": False, "bind": "127.0.0.1"} | trunk
        where = Trunk("127.0.0.1", one.port, "udp", "trunk.test", "15440000", **facts)
        caller = SipArs(where, voice or Sounds(), patience=patience or Patience(), guarding=Srtp)
        try:
            async with asyncio.timeout(20), caller:
                seen = await called(one, {RINGING: answer, **acts}, caller)
                if seen[-1] is not CallState.NO_ANSWER:
                    await one.gone.wait()
            return seen, one
        finally:
            one.close()

    return asyncio.run(walked())


@contextmanager
def elsewhere() -> Iterator[socket.socket]:
    """Another socket of the same machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        yield one


def test_E6_packets_from_elsewhere_change_nothing() -> None:
    async def at_the_question(one: Callee) -> None:
        await one.until(2)
        with elsewhere() as intruder:
            for key in "0", "9", "9":
                one.media.press(key, one.speech_at, way=intruder)
        one.press("47")

    seen, _ = walk({ANSWERED: at_the_question})
    assert seen == [*WHOLE, CallState.APPROVED]


@pytest.mark.parametrize(
    "change",
    [{"ssrc": 7}, {"payload_type": EVENTS + 1}, {"payload_type": 0}, {"payload": b"\x00\x8a"}, {"payload": b""}],
)
def test_E6_another_source_or_payload_type_from_there_changes_nothing(change: dict[str, Any]) -> None:
    async def at_the_question(one: Callee) -> None:
        await one.until(2)
        one.press("4")  # whoever speaks first is the one source
        one.media.press("0", one.speech_at, **change)
        one.media.way.sendto(b"\x80", one.speech_at)
        one.media.way.sendto(b"0" * 1600, one.speech_at)
        one.press("7")

    seen, _ = walk({ANSWERED: at_the_question})
    assert seen == [*WHOLE, CallState.APPROVED]


def test_E6_keys_of_before_the_answer_are_not_heard() -> None:
    async def ringing(one: Callee) -> None:
        one.press("0")
        one.answer()

    async def at_the_question(one: Callee) -> None:
        await one.until(2)
        one.press("47")

    seen, _ = walk({RINGING: ringing, ANSWERED: at_the_question})
    assert seen == [*WHOLE, CallState.APPROVED]


class Slow(Sounds):
    """An opening of a second."""

    async def clip(self, text: str, lang: str) -> bytes:
        return await super().clip(text, lang) * (16 if not self.texts or text == self.texts[0] else 1)


@pytest.mark.parametrize(("keys", "end"), [("99", CallState.APPROVED), ("0", CallState.REFUSED)])
def test_E4_before_it_was_said_who_calls_only_zero_counts(keys: str, end: CallState) -> None:
    async def at_once(one: Callee) -> None:
        await one.until(1)
        one.press(keys)
        if end is CallState.APPROVED:
            await one.until(2)
            one.press("47")

    seen, _ = walk({ANSWERED: at_once}, voice=Slow())
    assert seen == [*WHOLE, end]


def test_E4_who_presses_nothing_is_asked_three_times_and_approves_nothing() -> None:
    seen, one = walk({}, patience=Patience(pause=0.02))
    assert seen == [*WHOLE, CallState.FAILED]
    assert one.sounds() == [1, 2, 2, 2, 6]


def test_E6_without_srtp_from_the_other_end_a_secured_call_is_put_down() -> None:
    seen, one = walk({}, secured=True)
    assert seen == [*WHOLE[:2], CallState.FAILED]
    assert b"RTP/SAVP" in one.invite.body and b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" in one.invite.body
    assert one.acknowledged.is_set()


@pytest.mark.parametrize(
    "sdp",
    [
        b"",
        b"v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 0\r\n",  # no events
        b"v=0\r\nc=IN IP4 trunk.test\r\nm=audio 9 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\n",
        b"v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 0 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\n",
        b"v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 8 96\r\na=rtpmap:96 telephone-event/8000\r\n",
    ],
)
def test_an_answer_that_we_cannot_speak_under_is_put_down(sdp: bytes) -> None:
    async def answered(one: Callee) -> None:
        one.answer(sdp)

    seen, _ = walk({RINGING: answered})
    assert seen == [*WHOLE[:2], CallState.FAILED]


CHALLENGE = 'Digest realm="trunk", nonce="n0nce", algorithm=MD5, qop="auth"'


def test_a_challenge_is_answered_once_and_the_password_is_not_in_it() -> None:
    def asks(request: Request) -> Response | None:
        if message.first(request, "proxy-authorization") is None:
            return Response(407, "", (("Proxy-Authenticate", CHALLENGE),))
        return None

    async def at_the_question(one: Callee) -> None:
        await one.until(2)
        one.press("47")

    account: dict[str, Any] = {"user": "ingam", "password": Secret("s3cret")}
    seen, one = walk({ANSWERED: at_the_question}, before=asks, **account)
    assert seen == [*WHOLE, CallState.APPROVED]
    proof = message.first(one.invite, "proxy-authorization") or ""
    assert 'username="ingam"' in proof and "nc=00000001" in proof and "s3cret" not in repr(one.invites)
    numbers = [message.cseq(each)[0] for each in one.invites]
    assert numbers[-1] == numbers[0] + 1


@pytest.mark.parametrize("account", [{}, {"user": "ingam", "password": Secret("wrong")}])
def test_a_trunk_that_does_not_know_us_is_an_outage(account: dict[str, Any]) -> None:
    refuse = Response(401, "", (("WWW-Authenticate", CHALLENGE),))
    with pytest.raises(ArsOutage) as raised:
        walk({}, before=lambda _: refuse, **account)
    assert raised.value.facts == {"cause": "trunk", "status": 401}


def test_E6_only_the_other_end_puts_the_telephone_down() -> None:
    async def forged(one: Callee) -> None:
        await one.until(2)
        theirs = str(message.first(one.invite, "from"))
        one.bye(**{"Call-ID": "0b" * 16})
        one.bye(From="<sip:x@y>;tag=other")
        one.bye(To=theirs.partition(";")[0] + ";tag=other")
        one.press("47")

    seen, _ = walk({ANSWERED: forged})
    assert seen == [*WHOLE, CallState.APPROVED]


def test_a_success_that_comes_again_is_acknowledged_again() -> None:
    async def twice(one: Callee) -> None:
        one.answer()
        one.answer()

    async def at_the_question(one: Callee) -> None:
        await one.until(2)
        one.press("47")

    seen, one = walk({RINGING: twice, ANSWERED: at_the_question})
    assert (seen[-1], one.asked.count("ACK")) == (CallState.APPROVED, 2)


def test_a_trunk_that_says_nothing_is_asked_again_and_then_an_outage() -> None:
    async def walked() -> list[str]:
        one = await callee()
        one.before = lambda _: Response(100, "", ())
        silent = Trunk("127.0.0.1", one.port, "udp", "trunk.test", "15440000", secured=False, bind="127.0.0.1")
        heard: list[str] = []
        one.datagram_received = lambda data, addr: heard.append(data[:6].decode())  # type: ignore[method-assign]
        async with asyncio.timeout(20), SipArs(silent, Sounds(), timers=Timers(t1=0.005)) as caller:
            with pytest.raises(ArsOutage) as raised:
                await called(one, {}, caller)
        one.close()
        assert raised.value.facts["cause"] == "trunk"
        return heard

    heard = asyncio.run(walked())
    assert set(heard) == {"INVITE"} and len(heard) > 1


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_trunk_that_is_away_is_an_outage(transport: str) -> None:
    async def walked() -> str:
        with elsewhere() as gone:
            port = gone.getsockname()[1]
        trunk = Trunk("127.0.0.1", port, transport, "trunk.test", "15440000", secured=False, bind="127.0.0.1")
        async with asyncio.timeout(20), SipArs(trunk, Sounds(), timers=Timers(t1=0.005)) as caller:
            with pytest.raises(ArsOutage) as raised:
                async for _ in caller.place(CALL):
                    pass
        return str(raised.value.facts["cause"])

    assert asyncio.run(walked()) in ("trunk", "ConnectionRefusedError")
