"""The receiver's machine: Inviting | Joining → AwaitingPeer → KeyAlleged → KeyConfirmed → Receiving → Acknowledged.

It is CPace's responder. It takes one SHARE_A and answers once (C8): whoever guesses learns from its tag whether the
guess was right, and there is no second. Anything sealed before the sender's tag is right ends the run (C10).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from ingam.kernel.errors import Defect
from ingam.kernel.flow import Machine, Step
from ingam.kernel.secret import Secret
from ingam.protocols.mailbox import cpace, endpoint, frames, schedule
from ingam.protocols.mailbox.endpoint import (
    LEAVING,
    PEER_CANCELLED,
    Acknowledged,
    Admitted,
    Asked,
    Broken,
    Cancelled,
    Close,
    Closed,
    Declined,
    Deliver,
    End,
    Event,
    Heard,
    Left,
    LinkLost,
    Own,
    PeerCame,
    Refused,
    Send,
    ShowWords,
    Stored,
    TimeOver,
    WrongCode,
    broken,
)
from ingam.protocols.mailbox.frames import FrameBroken, Hello, Inner, ShareA, ShareB
from ingam.protocols.mailbox.ristretto import PointRefused
from ingam.protocols.mailbox.schedule import TO_RECEIVER, TO_SENDER, Keys


@dataclass(frozen=True, slots=True)
class Inviting:
    """It opened a mailbox and shows the number, and a QR code if it has `own.qr`; `mailbox` None: not yet named."""

    own: Own
    mailbox: str | None = None


@dataclass(frozen=True, slots=True)
class Joining:
    """Its person scanned the sender's QR code; the relay has not answered."""

    own: Own
    mailbox: str


@dataclass(frozen=True, slots=True)
class AwaitingPeer:
    """HELLO is sent; one SHARE_A will be taken."""

    own: Own
    mailbox: str
    hello: bytes


@dataclass(frozen=True, slots=True)
class KeyAlleged:
    """SHARE_B is sent; digits and scalar are forgotten. The sender's tag must be `tag_a`, its lot fit `commitment`."""

    keys: Keys
    commitment: bytes
    device: str


@dataclass(frozen=True, slots=True)
class KeyConfirmed:
    """The sender has proved the same key; the words are on the screen. `device`: the sender's."""

    to_receiver: Secret[bytes]
    to_sender: Secret[bytes]
    words: tuple[int, int]
    device: str


@dataclass(frozen=True, slots=True)
class Receiving:
    """The payload is with the store; `digest` is what must be read back. `sent`: frames sealed so far."""

    to_receiver: Secret[bytes]
    to_sender: Secret[bytes]
    digest: bytes
    sent: int = 0


State: TypeAlias = Inviting | Joining | AwaitingPeer | KeyAlleged | KeyConfirmed | Receiving | End

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
        Heard: frozenset({Receiving, Declined, Cancelled, Broken}),
        Refused: frozenset({Declined}),
        **LEAVING,
    },
    Receiving: {
        Asked: frozenset({Receiving}),
        Stored: frozenset({Acknowledged, Declined}),
        Refused: frozenset({Declined}),
        Heard: frozenset({Cancelled, Broken}),
        **LEAVING,
    },
}


def start(own: Own, mailbox: str | None = None) -> State:
    """The first state: Inviting for a device that opens (`mailbox` None), Joining for one that scanned."""
    if own.opened:
        return Inviting(own)
    if mailbox is None or own.qr is None:
        raise ValueError("a receiver joins by the sender's QR code")
    return Joining(own, mailbox)


def move(state: State, event: Event) -> Step[State]:
    """The next step; the table was asked before."""
    try:
        return _move(state, event)
    except (FrameBroken, PointRefused):
        return _step(broken())


def _move(state: State, event: Event) -> Step[State]:
    match state, event:
        case ((KeyConfirmed() | Receiving()), Left()):
            return _tell(state, Cancelled(), Inner.CANCELLED, b"", Close("cancelled"))
        case _, (Left() | Closed() | LinkLost() | TimeOver()):
            return _step(endpoint.leave(event))
        case Inviting(own, None), Admitted(mailbox):
            return Step(Inviting(own, mailbox))
        case Inviting(own, str() as mailbox), PeerCame():
            return _greet(own, mailbox)
        case Joining(own, mailbox), Admitted(admitted) if mailbox == admitted:
            return _greet(own, mailbox)
        case ((Inviting() | Joining()), (Admitted() | PeerCame() | Heard())):
            return _step(broken())
        case AwaitingPeer(), Heard(body):
            return _share(state, body)
        case KeyAlleged(), Heard(body):
            return _confirmed(state, body)
        case KeyConfirmed(), Heard(body):
            return _received(state, body)
        case Receiving(), Heard(body):
            return _left(state, body)
        case ((KeyConfirmed() | Receiving()), Refused(code)):
            return _refuse(state, code)
        case Receiving(), Asked():
            return _ask(state)
        case Receiving(), Stored(digest):
            return _stored(state, digest)
    raise Defect("flow-off-table", machine="copy-receiver", state=type(state).__name__)


def _greet(own: Own, mailbox: str) -> Step[State]:
    """Both are there: HELLO goes."""
    hello = frames.write_hello(Hello(frames.OFFERED, own.nonce, own.device))
    return Step(AwaitingPeer(own, mailbox, hello), (Send(hello),))


def _share(state: AwaitingPeer, body: bytes) -> Step[State]:
    """SHARE_A came: the key is made, SHARE_B and tag go, and what made the key is forgotten."""
    own, share = state.own, frames.read_share_a(body)
    if share.version != frames.VERSION:
        return _step(broken("copy-version"))
    if share.nonce == own.nonce or share.mode not in _modes(own):
        raise FrameBroken
    sid = own.nonce + share.nonce
    prs = schedule.password(share.mode, own.secret, own.qr)
    generator = cpace.generator(prs, schedule.channel(own.relay, state.mailbox), sid)
    yb = cpace.share(own.scalar.reveal(), generator)
    if share.ya == yb:
        raise FrameBroken
    keys = _keys(own, share, yb, sid, schedule.transcript(state.hello, body, yb))
    reply = frames.write_share_b(ShareB(yb, keys.tag_b.reveal()))
    return Step(KeyAlleged(keys, share.commitment, share.device), (Send(reply),))


def _modes(own: Own) -> str:
    """One that opened takes a typed number, and a scanned one if it shows a QR code; one that scanned, only that."""
    return ("nq" if own.qr is not None else "n") if own.opened else "q"


def _keys(own: Own, share: ShareA, yb: bytes, sid: bytes, th: bytes) -> Keys:
    point = cpace.secret_point(own.scalar.reveal(), share.ya)
    ada = schedule.sender_data(share.version, share.mode, share.device)
    adb = schedule.receiver_data(frames.OFFERED, share.mode, own.device)
    isk = Secret(cpace.isk(sid, point, (share.ya, ada), (yb, adb)))
    return schedule.keys(isk, th)


def _confirmed(state: KeyAlleged, body: bytes) -> Step[State]:
    """CONFIRM came: the sender has the same key, and had drawn its lot before it could know Yb."""
    keys, said = state.keys, frames.read_confirm(body)
    if not schedule.same(said.tag, keys.tag_a):
        return Step(WrongCode(), (Close("wrong"),))
    if not schedule.fits(said.lot, state.commitment):
        raise FrameBroken
    confirmed = KeyConfirmed(keys.to_receiver, keys.to_sender, schedule.words(keys, said.lot), state.device)
    return Step(confirmed, (ShowWords(*confirmed.words, state.device),))


def _received(state: KeyConfirmed, body: bytes) -> Step[State]:
    """The payload came, and goes to the store; or the sender's person cancelled."""
    inner, content = frames.unseal(state.to_receiver, TO_RECEIVER, 0, body)
    if inner == Inner.CANCELLED and not content:
        return Step(PEER_CANCELLED, (Close("cancelled"),))
    if inner != Inner.PAYLOAD:
        raise FrameBroken
    try:
        payload = frames.read_payload(content)
    except FrameBroken:
        return _refuse(state, "copy-payload")
    receiving = Receiving(state.to_receiver, state.to_sender, payload.digest)
    return Step(receiving, (Deliver(payload.certificate, payload.key_file),))


def _left(state: Receiving, body: bytes) -> Step[State]:
    inner, content = frames.unseal(state.to_receiver, TO_RECEIVER, 1, body)
    if inner != Inner.CANCELLED or content:
        raise FrameBroken
    return Step(PEER_CANCELLED, (Close("cancelled"),))


def _ask(state: Receiving) -> Step[State]:
    """ASKING goes once; asking again changes nothing."""
    if state.sent:
        return Step(state)
    body = frames.seal(state.to_sender, TO_SENDER, 0, Inner.ASKING)
    return Step(Receiving(state.to_receiver, state.to_sender, state.digest, 1), (Send(body),))


def _stored(state: Receiving, digest: bytes) -> Step[State]:
    """STORED goes if what was read back is what came; a store that gives back other bytes has not kept it."""
    if digest != state.digest:
        return _refuse(state, "cannot-keep")
    return _tell(state, Acknowledged(), Inner.STORED, digest)


def _refuse(state: KeyConfirmed | Receiving, code: str) -> Step[State]:
    """REFUSED goes. The sender closes when it has heard it, so that it is not cut off by the close."""
    if not frames.is_code(code):
        raise ValueError("no code")
    return _tell(state, Declined(code), Inner.REFUSED, code.encode("ascii"))


def _tell(state: KeyConfirmed | Receiving, end: End, inner: Inner, content: bytes, *then: Close) -> Step[State]:
    sequence = state.sent if isinstance(state, Receiving) else 0
    return Step(end, (Send(frames.seal(state.to_sender, TO_SENDER, sequence, inner, content)), *then))


def _step(step: Step[End]) -> Step[State]:
    return Step(step.state, step.effects)


RECEIVER: Final[Machine[State, Event]] = Machine("copy-receiver", 1, EDGES, move)
