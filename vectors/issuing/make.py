"""Makes `exchange.json`: one certificate issued by the demo authority to the vault's own messages, and what goes wrong.

`python -m vectors.issuing.make` from the root of the project, once: encryption and MACs are salted, so other bytes come
out every time. The keys are those of vectors/keys; the authority is the one of tests/ca, with its own certificates.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from tests.ca.world import IDN, KIM, NOW, World, certificates, held, world
from tests.protocols.cmp import test_typescript_twin as twin

from ingam.npki import certificate, der
from ingam.npki.certificate import Certificate

HERE = Path(__file__).parent
KEY = 5
SHA1_RSA = der.algorithm("1.2.840.113549.1.1.5")


def edited(
    issued: Certificate, *, fields: dict[int, bytes] | None = None, changed: dict[str, bytes | None] | None = None,
    more: tuple[bytes, ...] = (), algorithm: bytes | None = None,
) -> bytes:  # fmt: skip
    """The certificate with other fields of its to-be-signed part (by place), or other extensions, signed by the CA.

    `changed`: by dotted type the new value, or None to leave it out; `more`: whole extensions behind the others.
    """
    parts = [one.raw for one in der.whole(issued.tbs).sequence()]
    kept = []
    for one in der.whole(parts[7]).explicit(3).sequence():
        kind, *rest = one.sequence()
        value = (changed or {}).get(kind.oid(), rest[-1].content)
        if value is not None:
            kept.append(der.seq(kind.raw, *(each.raw for each in rest[:-1]), der.octets(value)))
    parts[7] = der.explicit(3, der.seq(*kept, *more))
    signed_with = algorithm or parts[2]
    for place, field in {2: signed_with, **(fields or {})}.items():
        parts[place] = field
    tbs = der.seq(*parts)
    return der.seq(tbs, signed_with, der.bits(held("issuing", 1).raw(tbs)))


def extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    return der.seq(der.oid(oid), der.tlv(der.BOOLEAN, b"\xff") if critical else b"", der.octets(value))


def wrong(issued: Certificate, other: Certificate) -> dict[str, tuple[str, bytes]]:
    """By name: the fault and the certificate. `other`: issued to somebody else's key."""
    signs_certificates, encrypts = (der.tlv(der.BIT_STRING, bytes.fromhex(bits)) for bits in ("02c4", "0520"))
    text = der.tlv(der.UTF8_STRING, b"x")
    flipped = bytearray(issued.der)
    flipped[-1] ^= 1
    edit = partial(edited, issued)
    return {
        "cut": ("malformed", issued.der[:-1]),
        "nothing": ("malformed", b""),
        "a key usage that is none": ("malformed", edit(changed={certificate.KEY_USAGE: der.null})),
        "an unknown critical extension": ("extension", edit(more=(extension("1.2.3.4", text, critical=True),))),
        "an extension twice": ("extension", edit(more=(extension(certificate.SUBJECT_KEY_ID, der.octets(b"x")),))),
        "another's certificate": ("key", other.der),
        "a wrong subject key identifier": (
            "subject-key", edit(changed={certificate.SUBJECT_KEY_ID: der.octets(bytes(20))})
        ),
        "no subject key identifier": ("subject-key", edit(changed={certificate.SUBJECT_KEY_ID: None})),
        "signs certificates": ("usage", edit(changed={certificate.KEY_USAGE: signs_certificates})),
        "encrypts": ("usage", edit(changed={certificate.KEY_USAGE: encrypts})),
        "no key usage": ("usage", edit(changed={certificate.KEY_USAGE: None})),
        "an authority": (
            "usage",
            edit(more=(extension(certificate.BASIC_CONSTRAINTS, der.seq(der.tlv(der.BOOLEAN, b"\xff"))),)),
        ),
        "a special purpose": (
            "usage", edit(more=(extension(certificate.EXTENDED_KEY_USAGE, der.seq(der.oid("1.3.6.1.5.5.7.3.1"))),))
        ),
        "another kind": (
            "policy", edit(changed={certificate.CERTIFICATE_POLICIES: der.seq(der.seq(der.oid("2.25.1")))})
        ),
        "two kinds": (
            "policy",
            edit(changed={certificate.CERTIFICATE_POLICIES: der.seq(
                *(der.seq(der.oid(one)) for one in (issued.policies[0], "2.25.1"))
            )}),
        ),
        "no kind": ("policy", edit(changed={certificate.CERTIFICATE_POLICIES: None})),
        "another issuer": ("issuer", edit(fields={3: certificates("ingam")[2].subject.raw})),
        "another key of the issuer": (
            "issuer-key",
            edit(changed={certificate.AUTHORITY_KEY_ID: der.seq(der.tlv(0x80, bytes(20)))}),
        ),
        "another serial of the issuer": (
            "issuer-key",
            edit(changed={certificate.AUTHORITY_KEY_ID: der.seq(
                der.tlv(0x80, certificates("ingam")[1].ski or b""), der.tlv(0x82, b"\x09")
            )}),
        ),
        "no authority key identifier": ("issuer-key", edit(changed={certificate.AUTHORITY_KEY_ID: None})),
        "SHA-1": ("weak-signature", edit(algorithm=SHA1_RSA)),
        "a flipped signature": ("signature", bytes(flipped)),
        "no VID": ("vid", edit(changed={certificate.SUBJECT_ALT_NAME: None})),
        "another's VID": ("vid", edit(changed={certificate.SUBJECT_ALT_NAME: vid_of(other)})),
    }  # fmt: skip


def vid_of(one: Certificate) -> bytes:
    found = one.extension(certificate.SUBJECT_ALT_NAME)
    assert found is not None
    return found.value


async def made(ca: World, refusing: World) -> dict[str, Any]:
    """Everything of the file."""
    refused = await twin.refusals(refusing)
    key, another = twin.made(KEY, 6)
    one = await twin.asked(ca, key)
    ip = await twin.carried(ca, one["bytes"])
    (found,) = twin.received("receive", one, ip)
    confirming = twin.followed("accept", one, found)
    pkiconf = await twin.carried(ca, confirming["bytes"])
    other = await twin.offered(ca, await twin.asked(ca, another, facts=KIM))
    issued, others = (certificate.parse(bytes.fromhex(each["certificate"])) for each in (found, other))
    return {
        "at": NOW.isoformat(), "idn": IDN, "code": one["code"], "key": key["key"], "spki": key["spki"],
        "policy": twin.policy(ca), "root": certificates("ingam")[0].der.hex(),
        "issuing": certificates("ingam")[1].der.hex(), "speaker": certificates("ingam")[2].der.hex(),
        "encryption": certificates("ingam")[3].der.hex(), "encryption_key": f"rsa2048-{2:02}",
        "ir": {"bytes": one["bytes"], "exchange": one["exchange"]}, "ip": ip, "certificate": found["certificate"],
        "certConf": {"bytes": confirming["bytes"], "exchange": confirming["exchange"]}, "pkiConf": pkiconf,
        "refused": [
            {"said": code, "exchange": given["exchange"], "code": given["code"], "answer": answer}
            for code, (given, answer) in refused.items()
        ],
        "wrong": [
            {"name": name, "fault": fault, "der": data.hex()} for name, (fault, data) in wrong(issued, others).items()
        ],
    }  # fmt: skip


async def main() -> None:
    """Write the file."""
    with tempfile.TemporaryDirectory() as folder:
        worlds = [world(Path(folder) / name) for name in ("issuing", "refusing")]
        file = await made(*worlds)
        for one in worlds:
            await one.shut()
    (HERE / "exchange.json").write_text(json.dumps(file, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
