"""Damaged messages: whatever a byte, a field or a length becomes, there is an answer, and never a certificate."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.ca.endpoint.asking import confirmation, genm, p10cr, revoke
from tests.ca.world import (
    HONG,
    IMPLICIT,
    KIM,
    RA,
    Holder,
    World,
    by_certificate,
    by_code,
    enrolled,
    held,
    registrar,
    request,
    responses,
    vid_of,
    world,
)

from ingam.ca.profiles import preset
from ingam.npki import certificate, der
from ingam.npki.der import Element, NotDer
from ingam.protocols.cmp import bodies, general, message
from ingam.protocols.cmp.cert_response import CertResponse
from ingam.protocols.cmp.header import Info
from ingam.protocols.cmp.message import BodyKind, UnverifiedMessage
from ingam.protocols.cmp.protection import password_based_mac
from ingam.protocols.cmp.status import CmpRefused

often = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


@dataclass
class Ground:
    """An authority, the loop it lives in, and one good message of each kind that it has not been sent yet."""

    ca: World
    runner: asyncio.Runner

    def answer(self, data: bytes) -> UnverifiedMessage:
        """What any bytes are answered with: always a message."""
        code, answer = self.runner.run(self.ca.endpoint.answer(data, "198.51.100.1"))
        assert code in (200, 400)
        return message.parse(answer)

    def made(self) -> tuple[object, ...]:
        """What changes when something is carried out."""
        books = self.ca.books
        return books.count_of(1), books.last_change(), books.size(), books.counts(self.ca.office.now())

    def good(self, kind: BodyKind) -> tuple[Holder, bytes]:
        """A sender and a message that would be carried out."""
        return self.runner.run(_good(self.ca, kind))


async def _good(ca: World, kind: BodyKind) -> tuple[Holder, bytes]:
    fresh = int.from_bytes(ca.random(4), "big") + 1000
    if kind in (BodyKind.RR, BodyKind.KUR):
        issued = await enrolled(ca, KIM, fresh)
        holder = by_certificate(ca, issued, held("kim", fresh))
        body = revoke(issued) if kind is BodyKind.RR else request(held("kim", fresh + 1), kind, encrypted=vid_of(ca))
        return holder, holder.compose(body)
    if kind is BodyKind.NESTED:
        ra = await registrar(ca, fresh)
        _, inner = await _good(ca, BodyKind.IR)
        header = message.parse(inner).header
        fields: dict[str, Any] = {"transaction_id": header.transaction_id, "sender_nonce": header.sender_nonce}
        return ra, ra.compose(bodies.write_nested([inner]), **fields)
    if kind is BodyKind.P10CR:
        holder = by_code(ca, await ca.register("ra", RA))
        return holder, holder.compose(p10cr(held("ra", fresh)), infos=IMPLICIT)
    pbm = kind is BodyKind.CR
    holder = by_code(
        ca, await ca.register("securities", HONG), algorithm=password_based_mac(b"s" * 16) if pbm else None
    )
    asked = request(held("hong", fresh), BodyKind.CR if pbm else BodyKind.IR, encrypted=vid_of(ca))
    if kind is BodyKind.CERT_CONF:
        return holder, confirmation(holder, await ca.ask(holder.compose(asked)))
    return holder, holder.compose(asked, infos=IMPLICIT)


@contextmanager
def ground() -> Iterator[Ground]:
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        demo = preset("ingam")
        always = {name: replace(one, renew_from_days=400) for name, one in demo.profiles.items()}
        ca = world(Path(folder), authority=replace(demo, profiles=always))
        try:
            yield Ground(ca, runner)
        finally:
            runner.run(ca.shut())


@pytest.fixture(scope="module")
def at() -> Iterator[Ground]:
    with ground() as made:
        yield made


KINDS = [
    BodyKind.IR, BodyKind.CR, BodyKind.P10CR, BodyKind.KUR, BodyKind.RR, BodyKind.CERT_CONF, BodyKind.NESTED,
]  # fmt: skip


def refused_until_whole(at: Ground, kind: BodyKind, damage: Callable[[bytes], st.SearchStrategy[bytes]]) -> None:
    """Every damaged twin of a message is refused and carries nothing out; the message itself then is carried out."""
    _, sent = at.good(kind)
    original = message.parse(sent)
    before = at.made()

    @often
    @given(damage(sent))
    def hold(data: bytes) -> None:
        try:
            found = message.parse(data)
            # extraCerts stand outside the protection: a changed chain is the same message.
            assume((found.protected, found.protection) != (original.protected, original.protection))
        except CmpRefused:
            pass
        at.answer(data)
        assert at.made() == before

    hold()
    at.answer(sent)
    assert at.made() != before


def flipped(data: bytes) -> st.SearchStrategy[bytes]:
    def flip(bits: set[int]) -> bytes:
        changed = bytearray(data)
        for bit in bits:
            changed[bit // 8] ^= 1 << bit % 8
        return bytes(changed)

    return st.sets(st.integers(0, 8 * len(data) - 1), min_size=1, max_size=4).map(flip)


def cut(data: bytes) -> st.SearchStrategy[bytes]:
    ends = st.integers(0, len(data) - 1).map(lambda size: data[:size])
    middle = st.tuples(st.integers(0, len(data)), st.integers(1, 40)).map(lambda one: data[: one[0]] + data[sum(one) :])
    return st.one_of(
        ends, middle.filter(lambda one: one != data), st.binary(min_size=1, max_size=8).map(lambda b: data + b)
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.lower())
def test_a_message_with_flipped_bits_is_refused_and_carries_nothing_out(at: Ground, kind: BodyKind) -> None:
    refused_until_whole(at, kind, flipped)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.lower())
def test_a_message_that_is_cut_or_longer_is_refused_and_carries_nothing_out(at: Ground, kind: BodyKind) -> None:
    refused_until_whole(at, kind, cut)


# Changed by somebody who has the code or the key: the protection is right, the contents are not.


class Place(NamedTuple):
    """Where an element stands: indexes from the outermost on."""

    path: tuple[int, ...]


def places(one: Element, path: tuple[int, ...] = ()) -> Iterator[Place]:
    """Every element of a DER structure below the outermost."""
    if path:
        yield Place(path)
    if one.tag & 0x20:
        for number, child in enumerate(one.children()):
            yield from places(child, (*path, number))


def changed(one: Element, path: tuple[int, ...], change: Callable[[bytes], bytes]) -> bytes:
    """The structure with one element changed, and right lengths around it."""
    if not path:
        return change(one.raw)
    inner = [
        changed(child, path[1:], change) if number == path[0] else child.raw
        for number, child in enumerate(one.children())
    ]
    return der.tlv(one.tag, b"".join(inner))


def _flip(raw: bytes, bit: int) -> bytes:
    at = len(raw) - 1 - bit // 8 % len(raw)
    return raw[:at] + bytes((raw[at] ^ 1 << bit % 8,)) + raw[at + 1 :]


CHANGES: dict[str, Callable[[bytes, int], bytes]] = {
    "removed": lambda _raw, _number: b"",
    "doubled": lambda raw, _number: raw + raw,
    "emptied": lambda raw, _number: der.tlv(raw[0], b""),
    "another tag": lambda raw, number: bytes((number % 256,)) + raw[1:],
    "null": lambda _raw, _number: der.null,
    "a changed bit": _flip,
    "longer": lambda raw, number: der.tlv(raw[0], der.whole(raw).content + bytes(number % 7 + 1)),
}


@pytest.mark.parametrize("kind", [one for one in KINDS if one is not BodyKind.NESTED], ids=lambda one: one.name.lower())
def test_a_message_whose_sender_damaged_it_is_answered_and_gives_nobody_more_than_is_theirs(
    at: Ground, kind: BodyKind
) -> None:
    holder, sent = at.good(kind)
    given_part = der.whole(message.parse(sent).protected)
    everywhere = list(places(given_part))

    @often
    @given(st.sampled_from(everywhere), st.sampled_from(sorted(CHANGES)), st.integers(0, 10_000))
    def hold(place: Place, change: str, number: int) -> None:
        nonlocal holder, sent, given_part
        try:
            part = changed(given_part, place.path, lambda raw: CHANGES[change](raw, number))
        except (NotDer, IndexError):
            return
        assume(part != given_part.raw)
        before = at.made()
        answer = at.answer(message.finish(part, holder.protection.protect(part), holder.extra))
        if at.made() != before:
            check_what_was_made(at, answer)
            holder, sent = at.good(kind)
            given_part = der.whole(message.parse(sent).protected)

    hold()


def check_what_was_made(at: Ground, answer: UnverifiedMessage) -> None:
    """What a changed message got is what its registration says: a name of ours, and one valid at a time."""
    for one in certificates_in(answer):
        found = certificate.parse(one.certificate or b"")
        entry = at.ca.books.certificate(1, found.serial)
        assert entry is not None and entry.der == found.der
        assert found.subject.value("O") == "Ingam" and "cA" not in repr(found.key_usage)
        assert found.basic_constraints is None or not found.basic_constraints.ca
        if entry.person is not None:
            standing = [one for one in at.ca.books.of_person(entry.person) if one.state.value in ("valid", "held")]
            assert len({one.policy for one in standing}) == len(standing)


def certificates_in(answer: UnverifiedMessage) -> list[CertResponse]:
    if answer.body.kind not in (BodyKind.IP, BodyKind.CP, BodyKind.KUP):
        return []
    return [one for one in responses(answer) if one.certificate is not None]


def test_any_bytes_are_answered_by_a_message(at: Ground) -> None:
    before = at.made()

    @often
    @given(st.binary(max_size=300))
    def hold(data: bytes) -> None:
        at.answer(data)
        assert at.made() == before

    hold()


def test_general_messages_of_any_type_are_answered(at: Ground) -> None:
    holder = at.runner.run(_coded(at.ca))
    before = at.made()
    kinds = st.sampled_from([getattr(general, name) for name in dir(general) if name.isupper() and "MOST" not in name])
    values = st.one_of(
        st.none(), st.just(der.null), st.just(der.seq()), st.binary(max_size=20).map(der.octets),
        st.binary(max_size=20).map(lambda value: der.explicit(0, der.explicit(0, der.tlv(0x86, value)))),
        st.lists(st.binary(max_size=20).map(lambda text: der.tlv(der.UTF8_STRING, text))).map(lambda s: der.seq(*s)),
    )  # fmt: skip

    @often
    @given(st.lists(st.tuples(kinds, values), max_size=4))
    def hold(asked: list[tuple[str, bytes | None]]) -> None:
        answer = at.answer(holder.compose(genm(*(Info(*one) for one in asked))))
        assert answer.body.kind in (BodyKind.GENP, BodyKind.ERROR)
        assert at.made() == before

    hold()


async def _coded(ca: World) -> Holder:
    return by_code(ca, await ca.register("securities", HONG))
