"""Holders, RAs, retries, twins, restarts and time in any order: what must always be true of the books.

1  one valid or held certificate per person and policy
2  never two certificates for one registration
3  a repeated request has the same answer while it is kept, and makes nothing
4  one leaf for every certificate and for every change, and no intent beside its certificate
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.ca.endpoint.asking import confirmation, polling, revoke, status_of
from tests.ca.world import (
    HONG,
    IMPLICIT,
    KIM,
    NOW,
    Holder,
    World,
    by_certificate,
    by_code,
    held,
    only_certificate,
    request,
    responses,
    vid_of,
    world,
)
from tests.clocks import SetClock

from ingam.ca.facts import Facts
from ingam.ca.issuing.registering import RegistrationRefused
from ingam.ca.profiles import Operation, preset
from ingam.ca.revoking import changes
from ingam.npki import certificate
from ingam.ports.books import StandingRefused, State
from ingam.protocols.cmp.message import BodyKind, UnverifiedMessage
from ingam.protocols.cmp.revocation import read_rev_rep
from ingam.protocols.cmp.status import FailInfo, Status, rejection

PERSONS = {"hong": HONG, "kim": KIM}
POLICIES = ("securities", "universal")
HOUR = 3600


@dataclass
class Sent:
    """A message that was answered, and until when the answer must come again."""

    data: bytes
    answer: bytes
    transaction: bytes
    kept_until: float


@dataclass
class Mine:
    """A certificate that somebody holds."""

    person: str
    der: bytes
    key: int


@dataclass
class Enrolment:
    """Somebody with a code, and the latest answer to them."""

    person: str
    holder: Holder
    key: int
    answer: UnverifiedMessage | None = None
    over: bool = False


@dataclass
class Store:
    """What the machine remembers of its world."""

    enrolments: list[Enrolment] = field(default_factory=list)
    mine: list[Mine] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)


persons = st.sampled_from(sorted(PERSONS))
policies = st.sampled_from(POLICIES)
chosen = st.integers(0, 1 << 16)


class Authority(RuleBasedStateMachine):
    """An authority with its books on disk, and everybody who may come to it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.clock = SetClock(NOW)
        self.know = Store()
        self.keys = 200

    @initialize()
    def open(self) -> None:
        demo = preset("ingam")
        always = {name: replace(one, renew_from_days=4000) for name, one in demo.profiles.items()}
        self.ca: World = world(Path(self.folder.name), authority=replace(demo, profiles=always), clock=self.clock)

    def teardown(self) -> None:
        self.runner.run(self.ca.shut())
        self.runner.close()
        self.folder.cleanup()

    # what happens

    @rule(person=persons, policy=policies, reissue=st.booleans())
    def registered(self, person: str, policy: str, reissue: bool) -> None:
        facts: Facts = PERSONS[person]
        operation = Operation.REISSUE if reissue else Operation.ISSUE
        try:
            found = self.runner.run(self.ca.register(policy, facts, operation=operation))
        except RegistrationRefused:
            return
        self.keys += 1
        self.know.enrolments.append(Enrolment(person, by_code(self.ca, found), self.keys))

    @precondition(lambda self: self.know.enrolments)
    @rule(which=chosen, implicit=st.booleans(), twins=st.integers(1, 3))
    def asks(self, which: int, implicit: bool, twins: int) -> None:
        one = self.pick(self.know.enrolments, which)
        body = request(held(one.person, one.key), encrypted=vid_of(self.ca))
        self.follow(one, self.send(one.holder.compose(body, infos=IMPLICIT if implicit else ()), twins))

    @precondition(lambda self: self.know.enrolments)
    @rule(which=chosen, accepts=st.booleans(), twins=st.integers(1, 3))
    def confirms(self, which: int, accepts: bool, twins: int) -> None:
        one = self.pick(self.know.enrolments, which)
        if one.answer is None or not certified(one.answer):
            return
        verdict = () if accepts else (status_of(one.answer, status=rejection(FailInfo.INCORRECT_DATA)),)
        self.send(confirmation(one.holder, one.answer, *verdict), twins)

    @precondition(lambda self: self.know.enrolments)
    @rule(which=chosen)
    def polls(self, which: int) -> None:
        one = self.pick(self.know.enrolments, which)
        if one.answer is not None and not certified(one.answer):
            self.follow(one, self.send(polling(one.holder, one.answer)))

    @precondition(lambda self: self.know.mine)
    @rule(which=chosen, implicit=st.booleans(), confirm=st.booleans())
    def renews(self, which: int, implicit: bool, confirm: bool) -> None:
        one = self.pick(self.know.mine, which)
        self.keys += 1
        holder = by_certificate(self.ca, one.der, held(one.person, one.key))
        body = request(held(one.person, self.keys), BodyKind.KUR, encrypted=vid_of(self.ca))
        answer = self.send(holder.compose(body, infos=IMPLICIT if implicit else ()))
        if certified(answer):
            self.know.mine.append(Mine(one.person, only_certificate(answer), self.keys))
            if confirm and not implicit:
                self.send(confirmation(holder, answer))

    @precondition(lambda self: self.know.mine)
    @rule(which=chosen, reason=st.sampled_from((0, 1, changes.HOLD, changes.REMOVE)))
    def revokes(self, which: int, reason: int) -> None:
        one = self.pick(self.know.mine, which)
        self.send(by_certificate(self.ca, one.der, held(one.person, one.key)).compose(revoke(one.der, reason)))

    @precondition(lambda self: self.know.mine)
    @rule(which=chosen, hold=st.booleans())
    def the_desk_holds_or_releases(self, which: int, hold: bool) -> None:
        one = self.pick(self.know.mine, which)
        entry = self.ca.books.certificate(1, certificate.parse(one.der).serial)
        assert entry is not None
        act = self.ca.revoking.suspend if hold else self.ca.revoking.resume
        try:
            self.runner.run(act(entry, by="desk"))
        except StandingRefused:
            assert entry.state is not (State.VALID if hold else State.HELD)

    @precondition(lambda self: self.know.sent)
    @rule(which=chosen, twins=st.integers(1, 3))
    def repeats(self, which: int, twins: int) -> None:
        one = self.pick(self.know.sent, which)
        before = self.counted()
        answers = self.runner.run(_together(self.ca, one.data, twins))
        if self.clock.now().timestamp() < one.kept_until:
            assert [answer.raw for answer in answers] == [one.answer] * twins
        assert self.counted() == before

    @rule(away=st.booleans())
    def the_signer_comes_and_goes(self, away: bool) -> None:
        self.ca.keys["issuing"].away = away

    @rule(seconds=st.sampled_from((1, 60, 599, 601, HOUR, 86_400)))
    def time_passes(self, seconds: int) -> None:
        self.clock.forward(seconds)
        self.runner.run(self.ca.revoking.sweep())
        self.runner.run(self.ca.books.forget(self.clock.now()))

    @rule()
    def the_process_begins_anew(self) -> None:
        self.runner.run(self.ca.shut())
        self.open()
        for one in self.know.enrolments:
            one.holder.world = self.ca

    # what is always true

    @invariant()
    def one_valid_certificate_per_person_and_policy(self) -> None:
        assert not self.rows(
            "SELECT 1 FROM certificate WHERE person IS NOT NULL AND state IN ('valid', 'held') "
            "GROUP BY person, policy HAVING count(*) > 1"
        )

    @invariant()
    def never_two_certificates_for_one_registration(self) -> None:
        assert not self.rows(
            "SELECT 1 FROM certificate WHERE reference IS NOT NULL GROUP BY reference HAVING count(*) > 1"
        )

    @invariant()
    def every_certificate_and_change_has_its_leaf_and_no_intent_stands_beside_its_certificate(self) -> None:
        assert not self.rows("SELECT 1 FROM intent JOIN certificate USING (ca, serial)")
        ((leaves, made, changed),) = self.rows(
            "SELECT (SELECT count(*) FROM leaf), (SELECT count(*) FROM certificate), (SELECT count(*) FROM change)"
        ) or [(0, 0, 0)]
        assert leaves == made + changed

    # how

    def pick(self, among: list[Any], which: int) -> Any:
        return among[which % len(among)]

    def send(self, data: bytes, twins: int = 1) -> UnverifiedMessage:
        answers = self.runner.run(_together(self.ca, data, twins))
        assert len({one.raw for one in answers}) == 1 or refused(answers[0])
        answer = answers[0]
        if not refused(answer):
            transaction, now = answer.header.transaction_id or b"", self.clock.now().timestamp()
            until = now + HOUR
            for one in self.know.sent:  # an exchange is kept for an hour after its last message; a later one of the
                if one.transaction == transaction and one.kept_until > now:  # same number, after a restart, is another
                    one.kept_until = until
            self.know.sent.append(Sent(data, answer.raw, transaction, until))
        return answer

    def follow(self, one: Enrolment, answer: UnverifiedMessage) -> None:
        if refused(answer):
            return
        one.answer = answer
        if certified(answer):
            self.know.mine.append(Mine(one.person, only_certificate(answer), one.key))

    def counted(self) -> tuple[int, int]:
        return self.ca.books.count_of(1), self.ca.books.last_change()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        if not hasattr(self, "ca"):
            return []
        with closing(sqlite3.connect(self.ca.books.path)) as db:
            return db.execute(sql).fetchall()


async def _together(ca: World, data: bytes, twins: int) -> list[UnverifiedMessage]:
    return list(await asyncio.gather(*(ca.ask(data) for _ in range(twins))))


def refused(answer: UnverifiedMessage) -> bool:
    kind = answer.body.kind
    if kind in (BodyKind.IP, BodyKind.KUP):
        return responses(answer)[0].status.status is Status.REJECTION
    if kind is BodyKind.RP:
        return read_rev_rep(answer.body).statuses[0].status is Status.REJECTION
    return kind is BodyKind.ERROR


def certified(answer: UnverifiedMessage) -> bool:
    return answer.body.kind in (BodyKind.IP, BodyKind.KUP) and responses(answer)[0].certificate is not None


def _walk(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Authority, settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None, database=None)
    )


def test_D9_whatever_comes_in_whatever_order_the_books_hold_true() -> None:
    _walk(12, 25)


@pytest.mark.soak
def test_whatever_comes_in_whatever_order_the_books_hold_true_for_long() -> None:
    _walk(400, 60)
