"""Makes `run.json` and `table.json`: whole runs of the copy protocol with every byte, what must be refused, the tables.

`python -m vectors.copying.make` from the root of the project; the same bytes come out every time. `cpace.json` is not
made here: it holds published values.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingam.kernel.flow import Machine, Step
from ingam.kernel.secret import Secret
from ingam.protocols.mailbox import cpace, frames, mailbox, receiver, schedule, sender, ticket, wire
from ingam.protocols.mailbox.endpoint import (
    Admitted,
    Agreed,
    Asked,
    Closed,
    Event,
    Heard,
    Left,
    LinkLost,
    Own,
    PeerCame,
    Refused,
    Send,
    Stored,
    TimeOver,
)
from ingam.protocols.mailbox.frames import Hello, Inner, Payload, ShareA, ShareB
from ingam.protocols.mailbox.number import Number
from ingam.protocols.mailbox.receiver import RECEIVER
from ingam.protocols.mailbox.schedule import TO_RECEIVER, TO_SENDER
from ingam.protocols.mailbox.sender import SENDER

HERE = Path(__file__).parent
RELAY = "http://localhost:8705"
MAILBOX = "41234"
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
SECRET = "5678901"
DEVICES = {"sender": "PC · Chrome · Windows", "receiver": "스마트폰 · Samsung Internet · Android"}
CERTIFICATE = (HERE.parent / "cmp" / "person.cert").read_bytes()
KEY_FILE = (HERE.parent / "key-files" / "a-2048.key").read_bytes()


def octets(label: str, count: int) -> bytes:
    """Bytes that look random and are the same every time."""
    return sha256(f"ingam copying vectors: {label}".encode()).digest()[:count]


QR = octets("qr", 16)
MACHINES: dict[str, Machine[Any, Event]] = {"sender": SENDER, "receiver": RECEIVER}


def own(role: str, *, opened: bool, qr: bytes | None) -> Own:
    """What the device of this role brings."""
    scalar = cpace.scalar(octets(f"{role} scalar", 32))
    held = None if qr is None else Secret(qr)
    nonce, lot = octets(f"{role} nonce", 16), Secret(octets(f"{role} lot", 16))
    return Own(RELAY, DEVICES[role], opened, Secret(SECRET), held, nonce, Secret(scalar), lot)


class End:
    """One end of a run, with everything that it sent."""

    def __init__(self, role: str, brings: Own) -> None:
        self.role, self.own, self.machine = role, brings, MACHINES[role]
        begin = sender.start if role == "sender" else receiver.start
        self.state: Any = begin(brings, None if brings.opened else MAILBOX)
        self.events: list[Event] = []

    def feed(self, event: Event) -> list[bytes]:
        """What is sent on this event."""
        self.events.append(event)
        step: Step[Any] = self.machine.advance(self.state, event)
        self.state = step.state
        return [effect.body for effect in step.effects if isinstance(effect, Send)]


def ends(opener: str, sender_qr: bytes | None, receiver_qr: bytes | None) -> tuple[End, End]:
    """Sender and receiver after the relay has brought them together; the receiver's HELLO is not yet given."""
    one = End("sender", own("sender", opened=opener == "sender", qr=sender_qr))
    other = End("receiver", own("receiver", opened=opener == "receiver", qr=receiver_qr))
    return one, other


def hello_of(one: End, other: End) -> bytes:
    """Both are admitted; the HELLO that goes."""
    sent: list[bytes] = []
    for end in (one, other):
        sent += end.feed(Admitted(MAILBOX))
    for end in (one, other):
        if end.own.opened:
            sent += end.feed(PeerCame())
    return sent[0]


def run(name: str, opener: str, sender_qr: bytes | None, receiver_qr: bytes | None) -> dict[str, Any]:
    """One whole run from the numbers to the acknowledgement, with every value on the way."""
    one, other = ends(opener, sender_qr, receiver_qr)
    messages = [("receiver", hello_of(one, other))]
    for role, event in _talk(messages):
        end = one if role == "sender" else other
        messages += [(role, body) for body in end.feed(event)]
    mode = one.own.mode
    return {
        "name": name, "opener": opener, "mode": mode, "relay": RELAY, "mailbox": MAILBOX, "secret": SECRET,
        "sender": _device(one.own), "receiver": _device(other.own),
        "certificate": CERTIFICATE.hex(), "key_file": KEY_FILE.hex(),
        **_between(one.own, other.own, messages),
        "messages": [{"from": role, "body": body.hex()} for role, body in messages],
        "ends": {"sender": type(one.state).__name__, "receiver": type(other.state).__name__},
    }  # fmt: skip


def _talk(messages: list[tuple[str, bytes]]) -> Iterator[tuple[str, Event]]:
    """Each event as it becomes possible: the last message that was sent is heard, persons and the store speak."""
    yield "sender", Heard(messages[-1][1])
    yield "receiver", Heard(messages[-1][1])
    yield "sender", Heard(messages[-1][1])
    yield "receiver", Heard(messages[-1][1])
    yield "sender", Agreed(CERTIFICATE, Secret(KEY_FILE))
    yield "receiver", Heard(messages[-1][1])
    yield "receiver", Asked()
    yield "sender", Heard(messages[-1][1])
    yield "receiver", Stored(Payload(CERTIFICATE, Secret(KEY_FILE)).digest)
    yield "sender", Heard(messages[-1][1])


def _device(brings: Own) -> dict[str, Any]:
    return {
        "device": brings.device,
        "opened": brings.opened,
        "qr": None if brings.qr is None else brings.qr.reveal().hex(),
        "nonce": brings.nonce.hex(),
        "scalar": brings.scalar.reveal().hex(),
        "lot": brings.lot.reveal().hex(),
    }


def _between(one: Own, other: Own, messages: list[tuple[str, bytes]]) -> dict[str, Any]:
    """Everything that is computed and never sent, step by step."""
    hello, share_a, share_b = (body for _, body in messages[:3])
    prs = schedule.password(one.mode, one.secret, one.qr)
    ci, sid = schedule.channel(RELAY, MAILBOX), other.nonce + one.nonce
    generator = cpace.generator(prs, ci, sid)
    ya, yb = frames.read_share_a(share_a).ya, frames.read_share_b(share_b).yb
    ada = schedule.sender_data(1, one.mode, one.device)
    adb = schedule.receiver_data(b"\x01", one.mode, other.device)
    point = cpace.secret_point(one.scalar.reveal(), yb)
    isk = cpace.isk(sid, point, (ya, ada), (yb, adb))
    th = schedule.transcript(hello, share_a, yb)
    keys = schedule.keys(Secret(isk), th)
    payload = Payload(CERTIFICATE, Secret(KEY_FILE))
    values = {
        "prs": prs, "ci": ci, "sid": sid, "generator": generator, "ya": ya, "yb": yb, "ada": ada, "adb": adb,
        "k": point, "isk": isk, "th": th, "to_receiver": keys.to_receiver.reveal(),
        "to_sender": keys.to_sender.reveal(), "tag_b": keys.tag_b.reveal(), "tag_a": keys.tag_a.reveal(),
        "commitment": schedule.commitment(one.lot), "words_key": keys.words.reveal(),
        "payload": frames.write_payload(payload), "digest": payload.digest,
    }  # fmt: skip
    return {**{name: value.hex() for name, value in values.items()}, "words": list(schedule.words(keys, one.lot))}


def numbers() -> dict[str, Any]:
    """What is typed and scanned, and what is refused."""
    number = Number(MAILBOX, Secret(SECRET), Secret(QR))
    text = number.qr_text
    spare = text[:-1] + BASE32[BASE32.index(text[-1]) | 1]
    typed = ["412356789012", "4123 5678 9012", "4123-5678-9012", " 4123  5678-9012 "]
    return {
        "typed": [{"text": one, "mailbox": "41235", "secret": "6789012"} for one in typed],
        "typed_refused": [
            "", "41235678901", "4123567890123", "4123567890l2", "４１２３５６７８９０１２", "4123.5678.9012",
            "+12356789012", "4123\t5678\t9012", "41235678901\n2", "INGAM1:412356789012", "٤١٢٣٥٦٧٨٩٠١٢",
        ],
        "shown": {"mailbox": MAILBOX, "secret": SECRET, "text": number.shown},
        "scanned": [{"text": text, "mailbox": MAILBOX, "secret": SECRET, "qr": QR.hex()}],
        "scanned_refused": [
            "", text[:-1], text + "A", text.lower(), " " + text, text + "\n", "INGAM2" + text[6:], spare,
            text.replace("INGAM1:", "https://example.invalid/?"), text[:-1] + "1", text[:-1] + "=",
            text[:18] + "٤" + text[19:], "INGAM1:" + MAILBOX + SECRET,
        ],
    }  # fmt: skip


def plain_refusals(messages: dict[str, bytes]) -> list[dict[str, str]]:
    """Plain messages with one thing wrong."""
    hello, share_a, share_b, confirm = (messages[one] for one in ("hello", "share_a", "share_b", "confirm"))
    device = hello[3 + 16 :]

    def said(text: bytes) -> bytes:
        return hello[: 3 + 16] + cpace.lv(text)

    found = [
        ("hello", "of no octets", b""),
        ("hello", "of the type alone", b"\x01"),
        ("hello", "of another type", b"\x02" + hello[1:]),
        ("hello", "one octet short", hello[:-1]),
        ("hello", "one octet long", hello + b"\x00"),
        ("hello", "without versions", b"\x01\x00" + hello[3:]),
        ("hello", "versions twice", b"\x01\x02\x01\x01" + hello[3:]),
        ("hello", "versions descending", b"\x01\x02\x02\x01" + hello[3:]),
        ("hello", "nine versions", b"\x01\x09" + bytes(range(1, 10)) + hello[3:]),
        ("hello", "length in two octets where one does", b"\x01\x81\x00\x01" + hello[3:]),
        ("hello", "device of no octets", said(b"")),
        ("hello", "device of 121 octets", said(b"a" * 121)),
        ("hello", "device not UTF-8", said(b"PC\xff")),
        ("hello", "device overlong UTF-8", said(b"PC\xc0\xaf")),
        ("hello", "device a surrogate", said(b"\xed\xa0\x80")),
        ("hello", "device with a line feed", said(b"PC\nbank")),
        ("hello", "device with U+0000", said(b"PC\x00")),
        ("hello", "device with U+0085", said("PC\u0085".encode())),
        ("hello", "device turned right to left", said("PC\u202egpj".encode())),
        ("hello", "device with a zero-width space", said("PC\u200b".encode())),
        ("hello", "device with U+2028", said("PC\u2028".encode())),
        ("hello", "513 octets", hello[:19] + bytes(513 - 19)),
        ("share_a", "of another type", b"\x01" + share_a[1:]),
        ("share_a", "mode x", share_a[:2] + b"x" + share_a[3:]),
        ("share_a", "mode of zero", share_a[:2] + b"\x00" + share_a[3:]),
        ("share_a", "one octet short", share_a[:-1]),
        ("share_a", "one octet long", share_a + b"\x00"),
        ("share_a", "without a device", share_a[: 3 + 16 + 32 + 32]),
        ("share_a", "without a commitment", share_a[: 3 + 16 + 32] + share_a[3 + 16 + 32 + 32 :]),
        ("share_a", "commitment one octet short", share_a[: 3 + 16 + 32 + 31] + share_a[3 + 16 + 32 + 32 :]),
        ("share_a", "commitment one octet long", share_a[: 3 + 16 + 32 + 32] + b"\x00" + share_a[3 + 16 + 32 + 32 :]),
        ("share_b", "of another type", b"\x04" + share_b[1:]),
        ("share_b", "one octet short", share_b[:-1]),
        ("share_b", "one octet long", share_b + b"\x00"),
        ("confirm", "of another type", b"\x03" + confirm[1:]),
        ("confirm", "one octet short", confirm[:-1]),
        ("confirm", "one octet long", confirm + b"\x00"),
        ("confirm", "without a lot", confirm[:33]),
        ("confirm", "lot of 32 octets", confirm + bytes(16)),
    ]
    assert cpace.lv(DEVICES["receiver"].encode()) == device
    return [{"message": kind, "name": name, "body": body.hex()} for kind, name, body in found]


def payload_refusals() -> list[dict[str, str]]:
    """Contents of PAYLOAD with one thing wrong (REFUSED copy-payload)."""
    good = cpace.lv_cat(CERTIFICATE, KEY_FILE)
    found = [
        ("of no octets", b""),
        ("certificate alone", cpace.lv(CERTIFICATE)),
        ("empty certificate", cpace.lv_cat(b"", KEY_FILE)),
        ("empty key file", cpace.lv_cat(CERTIFICATE, b"")),
        ("one octet short", good[:-1]),
        ("one octet long", good + b"\x00"),
        ("certificate of 6,145 octets", cpace.lv_cat(bytes(6_145), KEY_FILE)),
        ("key file of 8,193 octets", cpace.lv_cat(CERTIFICATE, bytes(8_193))),
        ("a third value", cpace.lv_cat(CERTIFICATE, KEY_FILE, b"x")),
        ("length in three octets", b"\x81\x80\x00a" + cpace.lv(KEY_FILE)),
        ("length in two octets where one does", b"\x81\x00a" + cpace.lv(KEY_FILE)),
    ]
    return [{"name": name, "content": content.hex()} for name, content in found]


def sealed() -> dict[str, Any]:
    """One sealed frame and everything that is near it and refused."""
    key = Secret(octets("frame key", 32))
    good = frames.seal(key, TO_RECEIVER, 3, Inner.REFUSED, b"cannot-keep")

    def padded(text: bytes, inner: int = Inner.REFUSED) -> bytes:
        nonce, data = frames._gcm(TO_RECEIVER, 3, Inner.REFUSED)
        data = data[:-1] + bytes([inner])
        return bytes([5, inner]) + AESGCM(key.reveal()).encrypt(nonce, text, data)

    content = b"\x00\x0bcannot-keep"
    found = [
        ("another sequence", frames.seal(key, TO_RECEIVER, 2, Inner.REFUSED, b"cannot-keep")),
        ("the other direction", frames.seal(key, TO_SENDER, 3, Inner.REFUSED, b"cannot-keep")),
        ("another key", frames.seal(Secret(octets("other key", 32)), TO_RECEIVER, 3, Inner.REFUSED, b"cannot-keep")),
        ("another inner type written over it", b"\x05\x11" + good[2:]),
        ("an inner type that there is not", padded(content.ljust(16_384, b"\x00"), 0x15)),
        ("another outer type", b"\x04" + good[1:]),
        ("first octet of the text altered", good[:2] + bytes([good[2] ^ 1]) + good[3:]),
        ("last octet altered", good[:-1] + bytes([good[-1] ^ 1])),
        ("one octet short", good[:-1]),
        ("one octet long", good + b"\x00"),
        ("last octet of the padding set", padded(content.ljust(16_383, b"\x00") + b"\x01")),
        ("first octet of the padding set", padded((content + b"\x01").ljust(16_384, b"\x00"))),
        ("length one past the end", padded((16_383).to_bytes(2, "big").ljust(16_384, b"\x00"))),
        ("length 65,535", padded(b"\xff\xff".ljust(16_384, b"\x00"))),
        ("padded to one octet less", padded(content.ljust(16_383, b"\x00"))),
    ]
    return {
        "key": key.reveal().hex(), "direction": TO_RECEIVER, "sequence": 3, "inner": int(Inner.REFUSED),
        "content": b"cannot-keep".hex(), "body": good.hex(),
        "refused": [{"name": name, "body": body.hex()} for name, body in found],
    }  # fmt: skip


def scripts() -> list[dict[str, Any]]:
    """Events into one machine, and the end that they must come to."""
    found: list[dict[str, Any]] = []

    def end(name: str, which: End, *events: Event) -> None:
        for event in events:
            which.feed(event)
        found.append({
            "name": name, "role": which.role, "own": _device(which.own), "relay": RELAY, "mailbox": MAILBOX,
            "secret": which.own.secret.reveal(), "events": [_told(event) for event in which.events],
            "end": type(which.state).__name__, "code": which.state.code,
        })  # fmt: skip

    _payload(Inner.PAYLOAD, 0)
    hello = _until(0)[2]
    share_a = _until(1)[2]
    share_b = _until(2)[2]
    confirm = _until(3)[2]
    for why in wire.CLOSED_WHYS:
        end(f"the relay says {why} after SHARE_A", _until(1)[0], Closed(why))
    end("the relay says what nobody knows", _until(1)[0], Closed("moonlight"))
    end("the person leaves", _until(1)[0], Left())
    end("the time is over", _until(1)[0], TimeOver())
    end("the link is lost", _until(1)[0], LinkLost())
    end("the relay admits to another mailbox", End("sender", own("sender", opened=False, qr=None)), Admitted("41235"))
    end(
        "a message before the peer",
        End("receiver", own("receiver", opened=True, qr=QR)),
        Admitted(MAILBOX),
        Heard(share_a),
    )
    end("a peer before the mailbox has a name", End("receiver", own("receiver", opened=True, qr=QR)), PeerCame())
    end("HELLO with the sender's own nonce", _until(0)[0], Heard(_hello(octets("sender nonce", 16))))
    end("HELLO that offers version 2 alone", _until(0)[0], Heard(_hello(octets("receiver nonce", 16), b"\x02")))
    end("SHARE_A instead of HELLO", _until(0)[0], Heard(share_a))
    end("SHARE_A twice", _until(2)[1], Heard(share_a))
    end("SHARE_A with the receiver's own nonce", _until(1)[1], Heard(_share_a(nonce=octets("receiver nonce", 16))))
    end("SHARE_A with version 2", _until(1)[1], Heard(_share_a(version=2)))
    end("SHARE_A with the identity", _until(1)[1], Heard(_share_a(ya=bytes(32))))
    end("SHARE_A with a point that is none", _until(1)[1], Heard(_share_a(ya=bytes([1]) + bytes(31))))
    end("SHARE_A with the receiver's own point", _until(1)[1], Heard(_reflected_a()))
    end("mode q of a receiver without a QR code", _without_qr(), Heard(_share_a(mode="q")))
    end("mode n of a receiver that scanned", _scanned(), Heard(_share_a(mode="n")))
    end("HELLO reflected to the receiver", _until(1)[1], Heard(hello))
    end("sealed before SHARE_A", _until(1)[1], Heard(_sealed(TO_RECEIVER)))
    end("sealed before CONFIRM", _until(2)[1], Heard(_sealed(TO_RECEIVER)))
    end("sealed before SHARE_B", _until(1)[0], Heard(_sealed(TO_SENDER)))
    end("SHARE_B with the sender's own point", _until(1)[0], Heard(_reflected_b()))
    end("SHARE_B with the identity", _until(1)[0], Heard(frames.write_share_b(ShareB(bytes(32), bytes(32)))))
    end("SHARE_B with a wrong tag", _until(1)[0], Heard(share_b[:-1] + bytes([share_b[-1] ^ 1])))
    end("SHARE_B to another commitment", _until(1)[0], Heard(_other_commitment()))
    end("CONFIRM with a wrong tag", _until(2)[1], Heard(_flipped(confirm, 32)))
    end("CONFIRM with another lot", _until(2)[1], Heard(_flipped(confirm, 48)))
    end("CONFIRM with a lot of zeros", _until(2)[1], Heard(confirm[:33] + bytes(16)))
    end("CONFIRM with a wrong tag and another lot", _until(2)[1], Heard(_flipped(_flipped(confirm, 1), 33)))
    end("CONFIRM without a lot", _until(2)[1], Heard(confirm[:33]))
    end("another number at the sender", _another_number(), Heard(share_b))
    end("STORED before PAYLOAD", _until(4)[0], Heard(_reply(Inner.STORED, 0, bytes(32))))
    end("REFUSED before PAYLOAD", _until(4)[0], Heard(_reply(Inner.REFUSED, 0, b"cannot-keep")))
    end("STORED with another hash", _until(5)[0], Heard(_reply(Inner.STORED, 0, bytes(32))))
    end("STORED under the next counter", _until(5)[0], Heard(_reply(Inner.STORED, 1, _digest())))
    end("ASKING twice", _until(5)[0], Heard(_reply(Inner.ASKING, 0)), Heard(_reply(Inner.ASKING, 1)))
    end("ASKING with content", _until(5)[0], Heard(_reply(Inner.ASKING, 0, b"x")))
    end("ASKING replayed as the answer", _until(5)[0], Heard(_reply(Inner.ASKING, 0)), Heard(_reply(Inner.ASKING, 0)))
    end("REFUSED with no code", _until(5)[0], Heard(_reply(Inner.REFUSED, 0, b"No code")))
    end("REFUSED bound-to-other", _until(5)[0], Heard(_reply(Inner.REFUSED, 0, b"bound-to-other")))
    end("CANCELLED by the receiver", _until(5)[0], Heard(_reply(Inner.CANCELLED, 0)))
    end("CANCELLED by the receiver before PAYLOAD", _until(4)[0], Heard(_reply(Inner.CANCELLED, 0)))
    for why in wire.CLOSED_WHYS:
        end(f"the relay says {why} after PAYLOAD", _until(5)[0], Closed(why))
    end("noise after PAYLOAD", _until(5)[0], Heard(b"noise"))
    end("SHARE_B again after PAYLOAD", _until(5)[0], Heard(share_b))
    end("the person leaves after PAYLOAD", _until(5)[0], Left())
    end("the person leaves before PAYLOAD", _until(4)[0], Left())
    end("the time is over after PAYLOAD", _until(5)[0], TimeOver())
    end("the link is lost after PAYLOAD", _until(5)[0], LinkLost())
    end("the relay says gone after ASKING", _until(5)[0], Heard(_reply(Inner.ASKING, 0)), Closed("gone"))
    end("CANCELLED after ASKING", _until(5)[0], Heard(_reply(Inner.ASKING, 0)), Heard(_reply(Inner.CANCELLED, 1)))
    end("the link is lost at a receiver that stores", _until(6)[1], LinkLost())
    end("noise at a receiver that stores", _until(6)[1], Heard(b"noise"))
    end("STORED", _until(5)[0], Heard(_reply(Inner.STORED, 0, _digest())))
    end("ASKING, then STORED", _until(5)[0], Heard(_reply(Inner.ASKING, 0)), Heard(_reply(Inner.STORED, 1, _digest())))
    end("CANCELLED by the sender after PAYLOAD", _until(6)[1], Heard(_payload(Inner.CANCELLED, 1)))
    end("PAYLOAD twice", _until(6)[1], Heard(_payload(Inner.PAYLOAD, 1)))
    end("PAYLOAD replayed", _until(6)[1], Heard(_payload(Inner.PAYLOAD, 0)))
    end("PAYLOAD that is none", _until(4)[1], Heard(_payload(Inner.PAYLOAD, 0, b"")))
    end("the store gives back other bytes", _until(6)[1], Stored(bytes(32)))
    end("the store keeps nothing", _until(6)[1], Refused("cannot-keep"))
    end("the store has it", _until(6)[1], Stored(_digest()))
    return found


def _until(count: int) -> tuple[End, End, bytes]:
    """Sender and receiver of the run by number before the event `count` of `_talk`, and the last message sent.

    0: HELLO is sent. 1: SHARE_A. 2: SHARE_B. 3: CONFIRM. 4: and heard. 5: PAYLOAD. 6: and heard.
    """
    one, other = ends("receiver", None, QR)
    messages = [("receiver", hello_of(one, other))]
    talk = _talk(messages)
    for _ in range(count):
        role, event = next(talk)
        end = one if role == "sender" else other
        messages += [(role, body) for body in end.feed(event)]
    return one, other, messages[-1][1]


def _told(event: Event) -> list[Any]:
    """An event as JSON: its name and what it carries, bytes in hex; a sealed frame as what it was sealed from."""
    if isinstance(event, Heard) and event.body in _SEALED:
        return ["Heard", _SEALED[event.body]]
    carried = [getattr(event, field) for field in type(event).__slots__]
    shown = [one.reveal() if isinstance(one, Secret) else one for one in carried]
    return [type(event).__name__, *(one.hex() if isinstance(one, bytes) else one for one in shown)]


def _hello(nonce: bytes, versions: bytes = b"\x01") -> bytes:
    return frames.write_hello(Hello(versions, nonce, DEVICES["receiver"]))


def _share_a(
    *, version: int = 1, mode: schedule.Mode = "n", nonce: bytes | None = None, ya: bytes | None = None
) -> bytes:
    made = frames.read_share_a(_until(1)[2])
    point = made.ya if ya is None else ya
    changed = ShareA(version, mode, nonce or made.nonce, point, made.commitment, made.device)
    return frames.write_share_a(changed)


def _flipped(body: bytes, at: int) -> bytes:
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


def _other_commitment() -> bytes:
    """The SHARE_B of a receiver that was given another commitment than the sender's."""
    return _until(1)[1].feed(Heard(_flipped(_until(1)[2], 3 + 16 + 32)))[0]


def _reflected_a() -> bytes:
    """SHARE_A with what the receiver's own scalar gives: nobody who does not hold the number can make it."""
    return _share_a(ya=frames.read_share_b(_until(2)[2]).yb)


def _reflected_b() -> bytes:
    return frames.write_share_b(ShareB(frames.read_share_a(_until(1)[2]).ya, bytes(32)))


def _without_qr() -> End:
    end = End("receiver", own("receiver", opened=True, qr=None))
    end.feed(Admitted(MAILBOX))
    end.feed(PeerCame())
    return end


def _scanned() -> End:
    end = End("receiver", own("receiver", opened=False, qr=QR))
    end.feed(Admitted(MAILBOX))
    return end


def _another_number() -> End:
    """A sender whose person typed another secret hears the SHARE_B of the true number."""
    end = End("sender", replace(own("sender", opened=False, qr=None), secret=Secret("5678902")))
    end.feed(Admitted(MAILBOX))
    end.feed(Heard(_until(0)[2]))
    return end


def _keys() -> tuple[Secret[bytes], Secret[bytes]]:
    state = _until(3)[0].state
    return state.to_receiver, state.to_sender


_SEALED: dict[bytes, dict[str, Any]] = {}
"""Every sealed body of the scripts, and what makes it again."""


def _seal(direction: schedule.Direction, sequence: int, inner: Inner, content: bytes = b"") -> bytes:
    key = _keys()[0 if direction == TO_RECEIVER else 1]
    body = frames.seal(key, direction, sequence, inner, content)
    _SEALED[body] = {
        "key": key.reveal().hex(), "direction": direction, "sequence": sequence, "inner": int(inner),
        "content": content.hex(),
    }  # fmt: skip
    return body


def _sealed(direction: schedule.Direction) -> bytes:
    return _seal(direction, 0, Inner.CANCELLED)


def _reply(inner: Inner, sequence: int, content: bytes = b"") -> bytes:
    return _seal(TO_SENDER, sequence, inner, content)


def _payload(inner: Inner, sequence: int, content: bytes | None = None) -> bytes:
    written = frames.write_payload(Payload(CERTIFICATE, Secret(KEY_FILE))) if inner == Inner.PAYLOAD else b""
    return _seal(TO_RECEIVER, sequence, inner, written if content is None else content)


def _digest() -> bytes:
    return Payload(CERTIFICATE, Secret(KEY_FILE)).digest


def tickets() -> dict[str, Any]:
    """Two good tickets and their near neighbours."""
    key = Ed25519PrivateKey.from_private_bytes(octets("ticket key", 32))
    opening = ticket.Ticket(
        octets("id", 16).hex(), RELAY, "open", "receiver", None, None, octets("who", 32).hex(), 1_795_000_000,
        1_795_000_180, 180,
    )  # fmt: skip
    joining = replace(opening, id=octets("id 2", 16).hex(), act="join", role="sender", mailbox=MAILBOX, peer=opening.id)
    good = ticket.write(opening, key.sign)
    members: dict[str, Any] = json.loads(_unbase64(good.split(".")[0]))

    def signed(text: str) -> str:
        payload = text.encode()
        return f"{_base64(payload)}.{_base64(key.sign(ticket.LABEL + payload))}"

    def changed(**new: Any) -> str:
        return signed(json.dumps({**members, **new}, separators=(",", ":")))

    payload, signature = good.split(".")
    refused = [
        ("empty", ""), ("payload alone", payload), ("three parts", good + ".x"), ("padded", payload + "=." + signature),
        ("signature altered", payload + "." + ("A" if signature[0] != "A" else "B") + signature[1:]),
        ("signature short", payload + "." + signature[:-4]),
        ("signed without the label", payload + "." + _base64(key.sign(_unbase64(payload)))),
        ("another version", changed(v=2)), ("a member more", changed(more=1)),
        ("a member less", signed(json.dumps({k: v for k, v in members.items() if k != "ttl"}, separators=(",", ":")))),
        ("with blanks", signed(json.dumps(members))),
        ("another order", signed(json.dumps(dict(reversed(members.items())), separators=(",", ":")))),
        ("a member twice", signed(json.dumps(members, separators=(",", ":"))[:-1] + ',"ttl":180}')),
        ("opens a mailbox by name", changed(mailbox=MAILBOX)), ("joins no mailbox", changed(act="join")),
        ("another act", changed(act="own")), ("another role", changed(role="both")),
        ("id in capitals", changed(id="A" * 32)), ("over three minutes", changed(exp=1_795_000_181)),
        ("over before it begins", changed(exp=1_795_000_000)),
        ("ttl 181", changed(ttl=181)), ("ttl true", changed(ttl=True)), ("iat a text", changed(iat="1795000000")),
        ("iat with a point", signed(json.dumps(members, separators=(",", ":")).replace("1795000000", "1795000000.0"))),
        ("relay with a path", changed(relay=RELAY + "/x")), ("an array", signed("[]")), ("no JSON", signed("{")),
    ]  # fmt: skip
    return {
        "public_key": key.public_key().public_bytes_raw().hex(),
        "good": [
            {"text": good, "says": members},
            {"text": (two := ticket.write(joining, key.sign)), "says": json.loads(_unbase64(two.split(".")[0]))},
        ],
        "refused": [{"name": name, "text": text} for name, text in refused],
    }


def wires() -> dict[str, Any]:
    """Texts between device and relay, good and refused."""
    token = _base64(octets("token", 32))
    ends_at = "2026-11-26T06:00:00Z"
    return {
        "acts": [
            {"act": "open", "ticket": "a.b"}, {"act": "join", "ticket": "a.b"},
            {"act": "resume", "token": token, "got": 3}, *({"act": "close", "why": why} for why in wire.WHYS),
        ],
        "told": [
            {"told": "opened", "mailbox": "01234", "token": token, "ends": ends_at},
            {"told": "joined", "token": token, "ends": ends_at}, {"told": "peer", "ends": ends_at},
            {"told": "resumed", "have": 0, "ends": ends_at}, {"told": "away"}, {"told": "back"},
            *({"told": "closed", "why": why} for why in wire.CLOSED_WHYS),
            {"told": "refused", "code": "copy-full"}, {"told": "refused", "code": "copy-too-many", "s": 42},
        ],
        "acts_refused": [
            "", "null", "[]", "{}", '{"act":"open"}', '{"act":"open","ticket":1}', '{"act":"open","ticket":""}',
            '{"act":"open","ticket":"a","more":1}', '{"act":"shut"}', '{"act":["open"],"ticket":"a"}',
            '{"act":"open","ticket":"a","ticket":"b"}', '{"told":"peer"}', '{"act":"close","why":"gone"}',
            '{"act":"close","why":""}', '{"act":"resume","token":"short","got":0}',
            json.dumps({"act": "resume", "token": token, "got": -1}),
            json.dumps({"act": "resume", "token": token, "got": 9}),
            json.dumps({"act": "resume", "token": token, "got": True}),
            json.dumps({"act": "resume", "token": token, "got": 1.5}),
            json.dumps({"act": "open", "ticket": "a" * 1_025}), '{"act":"open","ticket":"a"} x', '{"act":NaN}',
        ],
        "told_refused": [
            '{"told":"peer"}', '{"told":"away","more":1}', '{"told":"opened"}', '{"act":"open","ticket":"a"}',
            json.dumps({"told": "opened", "mailbox": "1234", "token": token, "ends": ends_at}),
            json.dumps({"told": "joined", "token": token, "ends": "2026-11-26 06:00:00"}),
            json.dumps({"told": "joined", "token": token, "ends": "2026-13-26T06:00:00Z"}),
            '{"told":"closed","why":"bored"}', '{"told":"refused","code":"No"}', '{"told":"refused","code":"a","s":-1}',
        ],
    }  # fmt: skip


def table(machine: Machine[Any, Any]) -> dict[str, dict[str, list[str]]]:
    """The edges by name; ends have none."""
    rows: dict[str, dict[str, list[str]]] = {name: {} for name in sorted(machine.states())}
    for state, events in machine.edges.items():
        rows[state.__name__] = {
            event.__name__: sorted(target.__name__ for target in targets)
            for event, targets in sorted(events.items(), key=lambda one: one[0].__name__)
        }
    return rows


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def made() -> dict[str, Any]:
    """The content of run.json."""
    runs = [
        run("the receiver opens, the sender types the number", "receiver", None, QR),
        run("the receiver opens, the sender scans the QR code", "receiver", QR, QR),
        run("the sender opens and shows a QR code, the receiver scans it", "sender", QR, QR),
    ]
    plain = dict(zip(("hello", "share_a", "share_b", "confirm"), (_until(n)[2] for n in range(4)), strict=True))
    return {
        "about": "Whole runs of ingam-copy/1 and what must be refused; made by vectors/copying/make.py.",
        "runs": runs, "numbers": numbers(), "plain_refused": plain_refusals(plain),
        "payload_refused": payload_refusals(), "sealed": sealed(), "scripts": scripts(), "tickets": tickets(),
        "wire": wires(),
    }  # fmt: skip


def tables() -> dict[str, Any]:
    """The content of table.json."""
    return {"sender": table(SENDER), "receiver": table(RECEIVER), "mailbox": table(mailbox.MAILBOX)}


if __name__ == "__main__":
    for name, content in (("run.json", made()), ("table.json", tables())):
        (HERE / name).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
