"""The sender's machine: Inviting | Joining → AwaitingPeer → KeyAlleged → KeyConfirmed → Sending → Acknowledged.

It is CPace's initiator. Nothing that is worth anything leaves it before the receiver's tag is right and the person has
said yes (C7, C10), and only the receiver's own hash of what it read back makes Acknowledged (C13). Once the payload is
under way, every end without the receiver's own proven word says `copy-unconfirmed`: it may be stored there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from ingam.kernel.errors import Defect
from ingam.kernel.flow import Machine, Step
from ingam.kernel.secret import Secret
from ingam.protocols.mailbox import cpace, endpoint, frames, schedule
from ingam.protocols.mailbox.endpoint import (
    LEAVING,
    PEER_CANCELLED,
    UNCONFIRMED,
    Acknowledged,
    Admitted,
    Agreed,
    Broken,
    Cancelled,
    Close,
    Closed,
    Declined,
    End,
    Event,
    Heard,
    Left,
    LinkLost,
    Own,
    PeerCame,
    Send,
    ShowWords,
    TimeOver,
    WrongCode,
    broken,
)
from ingam.protocols.mailbox.frames import Confirm, FrameBroken, Inner, Payload, ShareA
from ingam.protocols.mailbox.ristretto import PointRefused
from ingam.protocols.mailbox.schedule import TO_RECEIVER, TO_SENDER, Keys


@dataclass(frozen=True, slots=True)
class Inviting:
    """It opened a mailbox and shows a QR code; `mailbox` is None until the relay has named it."""

    own: Own
    mailbox: str | None = None


@dataclass(frozen=True, slots=True)
class Joining:
    """Its person typed or scanned a number; the relay has not answered."""

    own: Own
    mailbox: str


@dataclass(frozen=True, slots=True)
class AwaitingPeer:
    """Both are there; the receiver's HELLO comes first."""

    own: Own
    mailbox: str


@dataclass(frozen=True, slots=True)
class KeyAlleged:
    """SHARE_A is sent; the digits are forgotten. What is left is this run's and good for one SHARE_B."""

    scalar: Secret[bytes]
    lot: Secret[bytes]
    sid: bytes
    hello: bytes
    share_a: bytes
    ya: bytes
    ada: bytes
    adb: bytes
    device: str


@dataclass(frozen=True, slots=True)
class KeyConfirmed:
    """The receiver has proved the same key; CONFIRM is sent; the person compares words. `device`: the receiver's."""

    to_receiver: Secret[bytes]
    to_sender: Secret[bytes]
    words: tuple[int, int]
    device: str


@dataclass(frozen=True, slots=True)
class Sending:
    """The payload is sent; `digest` must come back. `asking`: the receiver has it and asks its person."""

    to_receiver: Secret[bytes]
    to_sender: Secret[bytes]
    digest: bytes
    heard: int = 0
    asking: bool = False


State: TypeAlias = Inviting | Joining | AwaitingPeer | KeyAlleged | KeyConfirmed | Sending | End

EDGES: Final = {
    Inviting: {
        Admitted: frozenset({Inviting, Broken}),
        PeerCame: frozenset({AwaitingPeer, Broken}),
        Heard: frozenset({Broken}),
        **LEAVING,
    },
    Joining: {Admitted: frozenset({AwaitingPeer, Broken}), Heard: frozenset({Broken}), **LEAVING},
    AwaitingPeer: {Heard: frozenset({KeyAlleged, Broken}), **LEAVING},
    KeyAlleged: {Heard: frozenset({KeyConfirmed, WrongCode, Broken}), **LEAVING},
    KeyConfirmed: {
        Agreed: frozenset({Sending}),
        Heard: frozenset({Cancelled, Declined, Broken}),
        **LEAVING,
    },
    Sending: {
        Heard: frozenset({Sending, Acknowledged, Declined, Cancelled, Broken}),
        **LEAVING,
    },
}


def start(own: Own, mailbox: str | None = None) -> State:
    """The first state: Inviting for a device that opens (`mailbox` None), Joining for one that typed or scanned."""
    if own.opened:
        if own.qr is None:
            raise ValueError("a sender that opens shows a QR code")
        return Inviting(own)
    if mailbox is None:
        raise ValueError("to join is to name a mailbox")
    return Joining(own, mailbox)


def move(state: State, event: Event) -> Step[State]:
    """The next step; the table was asked before."""
    try:
        return _move(state, event)
    except (FrameBroken, PointRefused):
        return _step(_unsure(state, broken()))


def _move(state: State, event: Event) -> Step[State]:
    match state, event:
        case ((KeyConfirmed() | Sending()), Left()):
            return _cancel(state)
        case _, (Left() | Closed() | LinkLost() | TimeOver()):
            return _step(_unsure(state, endpoint.leave(event)))
        case Inviting(own, None), Admitted(mailbox):
            return Step(Inviting(own, mailbox))
        case Inviting(own, str() as mailbox), PeerCame():
            return Step(AwaitingPeer(own, mailbox))
        case Joining(own, mailbox), Admitted(admitted) if mailbox == admitted:
            return Step(AwaitingPeer(own, mailbox))
        case ((Inviting() | Joining()), (Admitted() | PeerCame() | Heard())):
            return _step(broken())
        case AwaitingPeer(own, mailbox), Heard(body):
            return _share(own, mailbox, body)
        case KeyAlleged(), Heard(body):
            return _confirm(state, body)
        case KeyConfirmed(), Agreed(certificate, key_file):
            return _send(state, Payload(certificate, key_file))
        case KeyConfirmed(), Heard(body):
            return _answered_early(state, body)
        case Sending(), Heard(body):
            return _answered(state, body)
    raise Defect("flow-off-table", machine="copy-sender", state=type(state).__name__)


def _share(own: Own, mailbox: str, body: bytes) -> Step[State]:
    """HELLO came: SHARE_A goes, in the mode that was fixed when the person typed, scanned or opened."""
    hello = frames.read_hello(body)
    if frames.VERSION not in hello.versions:
        return _step(broken("copy-version"))
    if hello.nonce == own.nonce:
        raise FrameBroken
    sid = hello.nonce + own.nonce
    prs = schedule.password(own.mode, own.secret, own.qr)
    generator = cpace.generator(prs, schedule.channel(own.relay, mailbox), sid)
    ya = cpace.share(own.scalar.reveal(), generator)
    committed = schedule.commitment(own.lot)
    share_a = frames.write_share_a(ShareA(frames.VERSION, own.mode, own.nonce, ya, committed, own.device))
    ada = schedule.sender_data(frames.VERSION, own.mode, own.device)
    adb = schedule.receiver_data(hello.versions, own.mode, hello.device)
    return Step(KeyAlleged(own.scalar, own.lot, sid, body, share_a, ya, ada, adb, hello.device), (Send(share_a),))


def _confirm(run: KeyAlleged, body: bytes) -> Step[State]:
    """SHARE_B came: its tag is right, and CONFIRM goes; or the number was wrong, and nothing more does."""
    share = frames.read_share_b(body)
    if share.yb == run.ya:
        raise FrameBroken
    keys = _keys(run, share.yb)
    if not schedule.same(share.tag, keys.tag_b):
        return Step(WrongCode(), (Close("wrong"),))
    confirm = frames.write_confirm(Confirm(keys.tag_a.reveal(), run.lot))
    state = KeyConfirmed(keys.to_receiver, keys.to_sender, schedule.words(keys, run.lot), run.device)
    return Step(state, (Send(confirm), ShowWords(*state.words, run.device)))


def _keys(run: KeyAlleged, yb: bytes) -> Keys:
    point = cpace.secret_point(run.scalar.reveal(), yb)
    isk = Secret(cpace.isk(run.sid, point, (run.ya, run.ada), (yb, run.adb)))
    return schedule.keys(isk, schedule.transcript(run.hello, run.share_a, yb))


def _send(state: KeyConfirmed, payload: Payload) -> Step[State]:
    """The person agreed: the one frame with the certificate and its key file. ValueError: too large to be carried."""
    body = frames.seal(state.to_receiver, TO_RECEIVER, 0, Inner.PAYLOAD, frames.write_payload(payload))
    return Step(Sending(state.to_receiver, state.to_sender, payload.digest), (Send(body),))


def _answered_early(state: KeyConfirmed, body: bytes) -> Step[State]:
    """Before the payload the receiver can only leave, or say that it cannot keep anything."""
    inner, content = frames.unseal(state.to_sender, TO_SENDER, 0, body)
    return _left(inner, content)


def _answered(state: Sending, body: bytes) -> Step[State]:
    inner, content = frames.unseal(state.to_sender, TO_SENDER, state.heard, body)
    if inner == Inner.STORED:
        if content != state.digest:
            raise FrameBroken
        return Step(Acknowledged(), (Close("done"),))
    if inner == Inner.ASKING and not content and not state.asking:
        return Step(Sending(state.to_receiver, state.to_sender, state.digest, state.heard + 1, asking=True))
    return _left(inner, content)


def _left(inner: Inner, content: bytes) -> Step[State]:
    if inner == Inner.REFUSED:
        return Step(Declined(frames.read_code(content)), (Close("declined"),))
    if inner == Inner.CANCELLED and not content:
        return Step(PEER_CANCELLED, (Close("cancelled"),))
    raise FrameBroken


def _cancel(state: KeyConfirmed | Sending) -> Step[State]:
    """The person cancels: told under the key, and to the relay."""
    sequence = 0 if isinstance(state, KeyConfirmed) else 1
    body = frames.seal(state.to_receiver, TO_RECEIVER, sequence, Inner.CANCELLED)
    end = _unsure(state, Step(Cancelled(), (Send(body), Close("cancelled"))))
    return _step(end)


def _unsure(state: State, step: Step[End]) -> Step[End]:
    """Once the payload is under way, an end without the receiver's word leaves open whether it is kept there."""
    if not isinstance(state, Sending):
        return step
    return Step(replace(step.state, code=UNCONFIRMED), step.effects)


def _step(step: Step[End]) -> Step[State]:
    return Step(step.state, step.effects)


SENDER: Final[Machine[State, Event]] = Machine("copy-sender", 1, EDGES, move)
