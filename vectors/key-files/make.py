"""Makes the key files of this folder and of `../refusals/`: every variant, whole and broken, the same bytes each time.

`python vectors/key-files/make.py` from the root of the project. Keys come from `../keys/`, R and salts from fixed
labels, so nothing changes unless this file or the format does. Python makes them; Python and TypeScript read them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingam.npki import der
from ingam.npki.kdf import Prf
from ingam.npki.key_file import Variant, seal_key
from ingam.npki.private_key import RANDOM_NUMBER, open_pkcs8

HERE = Path(__file__).parent
KEYS = HERE.parent / "keys"
REFUSALS = HERE.parent / "refusals"
PASSWORD = "ingam-Test#2026"


def fixed(label: str) -> Callable[[int], bytes]:
    """Bytes that look random and are always the same."""
    drawn = iter(range(1 << 30))
    return lambda size: hashlib.shake_256(f"{label}/{next(drawn)}".encode()).digest(size)


def with_random(pkcs8: bytes, label: str, size: int = 20) -> bytes:
    """The key with an R attribute, as Korean tools write it (an IMPLICIT SET OF Attribute)."""
    parts = [part.raw for part in der.whole(pkcs8).sequence()]
    attribute = der.seq(RANDOM_NUMBER, der.set_of([der.bits(fixed(label)(size))]))
    return der.seq(*parts, der.tlv(0xA0, attribute))


def with_two_attributes(pkcs8: bytes, label: str) -> bytes:
    """R, and an attribute that nobody knows: both must survive."""
    parts = [part.raw for part in der.whole(pkcs8).sequence()]
    unknown = der.seq(der.oid("1.2.410.200004.10.1.1.99"), der.set_of([der.octets(b"kept as it is")]))
    known = der.seq(RANDOM_NUMBER, der.set_of([der.bits(fixed(label)(20))]))
    return der.seq(*parts, der.tlv(0xA0, unknown + known))


def plain(bits: int, number: int) -> bytes:
    return (KEYS / f"rsa{bits}-{number:02}.p8").read_bytes()


def whole_files() -> list[dict[str, Any]]:
    """One file a variant, then the ones that differ in what is inside."""
    key, key3072 = with_random(plain(2048, 0), "R/00"), with_random(plain(3072, 0), "R/3072-00", 32)
    made = [
        ("a-1024", key, PASSWORD, Variant.PBE_SHA1_SEED, 1024, None),
        ("a-2048", key, PASSWORD, Variant.PBE_SHA1_SEED, 2048, None),
        ("a-1", key, PASSWORD, Variant.PBE_SHA1_SEED, 1, None),
        ("a-3072-bit", key3072, PASSWORD, Variant.PBE_SHA1_SEED, 2048, None),
        ("b-2048", key, PASSWORD, Variant.SEED_CBC_SHA1, 2048, None),
        ("c-sha1-1024", key, PASSWORD, Variant.PBES2_SEED, 1024, Prf.SHA1),
        ("c-sha1-2048", key, PASSWORD, Variant.PBES2_SEED, 2048, Prf.SHA1),
        ("c-sha256-2048", key, PASSWORD, Variant.PBES2_SEED, 2048, Prf.SHA256),
        ("d-sha1-2048", key, PASSWORD, Variant.PBES2_AES_256, 2048, Prf.SHA1),
        ("d-sha256-2048", key, PASSWORD, Variant.PBES2_AES_256, 2048, Prf.SHA256),
        ("d-sha256-600000", key, PASSWORD, Variant.PBES2_AES_256, 600_000, Prf.SHA256),
        ("e-128-sha256-2048", key, PASSWORD, Variant.PBES2_ARIA_128, 2048, Prf.SHA256),
        ("e-192-sha256-2048", key, PASSWORD, Variant.PBES2_ARIA_192, 2048, Prf.SHA256),
        ("e-256-sha256-2048", key, PASSWORD, Variant.PBES2_ARIA_256, 2048, Prf.SHA256),
        ("e-256-sha1-2048", key, PASSWORD, Variant.PBES2_ARIA_256, 2048, Prf.SHA1),
        ("no-r", plain(2048, 1), PASSWORD, Variant.PBES2_SEED, 2048, Prf.SHA1),
        ("two-attributes", with_two_attributes(plain(2048, 2), "R/02"), PASSWORD, Variant.PBE_SHA1_SEED, 2048, None),
        ("short-password", key, "a1", Variant.PBE_SHA1_SEED, 2048, None),
        ("blanks-in-password", key, " inner  blanks ", Variant.PBES2_SEED, 2048, Prf.SHA1),
        ("korean-password", key, "비밀번호1!", Variant.PBES2_SEED, 2048, Prf.SHA1),
        ("long-password", key, "x" * 100 + "Y7!", Variant.PBE_SHA1_SEED, 2048, None),
    ]
    return [whole_file(*one) for one in made]


def whole_file(
    name: str, pkcs8: bytes, password: str, variant: Variant, iterations: int, prf: Prf | None
) -> dict[str, Any]:
    data = seal_key(pkcs8, password.encode(), variant, iterations=iterations, prf=prf, random=fixed(name))
    (HERE / f"{name}.key").write_bytes(data)
    key = open_pkcs8(pkcs8)
    random = key.random.reveal() if key.random else None
    return {
        "file": f"{name}.key",
        "password": password,
        "variant": variant,
        "iterations": iterations,
        "prf": prf,
        "bits": key.bits,
        "pkcs8_size": len(pkcs8),
        "pkcs8_sha256": hashlib.sha256(pkcs8).hexdigest(),
        "attributes": key.attributes.reveal().hex(),
        "r": der.whole(random).bits().hex() if random else None,
        "random_der": random.hex() if random else None,
        "modulus_sha256": hashlib.sha256(key.modulus.to_bytes(key.bits // 8, "big")).hexdigest(),
    }


def rsa_key(**changed: int) -> bytes:
    """The PKCS#8 of a test key with some of its numbers changed."""
    names = ("n", "e", "d", "p", "q", "dp", "dq", "qinv")
    _, *numbers = (part.integer() for part in der.whole(der.whole(plain(2048, 3)).sequence()[2].content).sequence())
    told = dict(zip(names, numbers, strict=True)) | changed
    inner = der.seq(der.integer(0), *(der.integer(told[name]) for name in names))
    return der.seq(der.integer(0), der.algorithm("1.2.840.113549.1.1.1"), der.octets(inner))


def sealed(pkcs8: bytes, label: str) -> bytes:
    return seal_key(pkcs8, PASSWORD.encode(), Variant.PBES2_SEED, random=fixed(label))


def with_rounds(rounds: bytes) -> bytes:
    """A variant A file whose iteration INTEGER has these content octets."""
    parameters = der.seq(der.octets(bytes(8)), der.tlv(der.INTEGER, rounds))
    return der.seq(der.seq(der.oid("1.2.410.200004.1.15"), parameters), der.octets(bytes(64)))


def pbes2(*, settings: bytes, scheme: str = "1.2.410.200004.1.4", iv: bytes = bytes(16)) -> bytes:
    derivation = der.seq(der.oid("1.2.840.113549.1.5.12"), settings)
    parameters = der.seq(derivation, der.seq(der.oid(scheme), der.octets(iv)))
    return der.seq(der.seq(der.oid("1.2.840.113549.1.5.13"), parameters), der.octets(bytes(64)))


def flipped(data: bytes, at: int) -> bytes:
    out = bytearray(data)
    out[at] ^= 0x01
    return bytes(out)


def nested(tag: int, depth: int) -> bytes:
    out = b""
    for _ in range(depth):
        out = der.tlv(tag, out)
    return out


def broken_files() -> dict[str, tuple[bytes, str]]:
    """Bytes and the code that refuses them under PASSWORD."""
    a = (HERE / "a-2048.key").read_bytes()
    c = (HERE / "c-sha1-2048.key").read_bytes()
    rounds = der.seq(der.octets(bytes(8)), der.integer(2048))
    ciphertext = len(der.whole(c).sequence()[1].content)
    start = len(c) - ciphertext
    named = pbes2(settings=der.seq(der.octets(bytes(8)), der.integer(2048), der.algorithm("1.2.840.113549.2.11")))
    d = "key-damaged"
    return {
        # cut, altered, or no key file
        "empty": (b"", d),
        "one-byte": (b"\x30", d),
        "text": (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n", d),
        "truncated-header": (a[:20], d),
        "truncated-half": (a[: len(a) // 2], d),
        "truncated-last-byte": (a[:-1], d),
        "trailing-zero": (a + b"\0", d),
        "trailing-copy": (a + a, d),
        "not-encrypted": (plain(2048, 0), d),
        "indefinite-length": (b"\x30\x80" + der.whole(a).content + b"\0\0", d),
        "long-form-length": (b"\x30\x83\x00" + a[2:4] + a[4:], d),
        "huge-length": (b"\x30\x84\x7f\xff\xff\xff" + bytes(32), d),
        "huge-inner-length": (b"\x30\x82\x00\x80\x30\x84\x7f\xff\xff\xff" + bytes(122), d),
        "nested-sequences": (nested(der.SEQUENCE, 5000), d),
        "nested-octets": (nested(der.OCTET_STRING, 5000), d),
        "ciphertext-empty": (der.seq(der.whole(a).sequence()[0].raw, der.octets(b"")), d),
        "ciphertext-odd": (der.seq(der.whole(a).sequence()[0].raw, der.octets(bytes(1265))), d),
        "salt-empty": (pbes2(settings=der.seq(der.octets(b""), der.integer(2048))), d),
        "salt-long": (pbes2(settings=der.seq(der.octets(bytes(65)), der.integer(2048))), d),
        "iv-short": (pbes2(settings=rounds, iv=bytes(8)), d),
        "key-length-wrong": (pbes2(settings=der.seq(der.octets(bytes(8)), der.integer(2048), der.integer(32))), d),
        "long-object-identifier": (der.seq(der.seq(der.tlv(der.OID, b"\x81" * 60000 + b"\1"), rounds), b"\4\0"), d),
        # bounds, refused before computing
        "iterations-zero": (with_rounds(b"\0"), d),
        "iterations-negative": (with_rounds(b"\xff"), d),
        "iterations-not-minimal": (with_rounds(b"\x00\x08"), d),
        "iterations-million-and-one": (with_rounds((1_000_001).to_bytes(3, "big")), "key-iterations"),
        "iterations-31-bits": (with_rounds(b"\x7f\xff\xff\xff"), "key-iterations"),
        "iterations-huge": (with_rounds(b"\x7f" * 50_000), "key-iterations"),
        "pbkdf2-iterations-huge": (
            pbes2(settings=der.seq(der.octets(bytes(8)), der.integer(1 << 64))),
            "key-iterations",
        ),
        "too-large": (der.seq(der.whole(a).sequence()[0].raw, der.octets(bytes(64 * 1024))), "key-too-large"),
        # another algorithm
        "variant-unknown": (
            der.seq(der.seq(der.oid("1.2.840.113549.1.12.1.3"), rounds), der.octets(bytes(64))),
            "key-variant-unknown",
        ),
        "prf-unknown": (named, "key-variant-unknown"),
        "cipher-unknown": (pbes2(settings=rounds, scheme="1.2.840.113549.3.2"), "key-variant-unknown"),
        # the password, or the content under the right password
        "another-password": (
            seal_key(plain(2048, 0), b"another", Variant.PBE_SHA1_SEED, random=fixed("another")),
            "wrong-password",
        ),
        "another-salt": (flipped(a, a.index(der.octets(fixed("a-2048")(8))) + 2), "wrong-password"),
        "first-block-flipped": (flipped(c, start), d),
        "middle-flipped": (flipped(c, start + ciphertext // 2), d),
        "last-block-flipped": (flipped(c, len(c) - 1), d),
        "iv-flipped": (flipped(c, start - 10), d),
        "last-block-missing": (der.seq(der.whole(c).sequence()[0].raw, der.octets(c[start:-16])), d),
        "content-not-a-key": (sealed(der.seq(der.integer(7)), "content"), d),
        "numbers-missing": (sealed(cut_numbers(), "cut"), d),
        "modulus-altered": (sealed(rsa_key(n=number("n") + 2), "n"), d),
        "dp-altered": (sealed(rsa_key(dp=number("dp") + 2), "dp"), d),
        "qinv-altered": (sealed(rsa_key(qinv=number("qinv") + 1), "qinv"), d),
        "d-altered": (sealed(rsa_key(d=number("d") + 2), "d"), d),
        # a whole key that is not used here
        "modulus-1024": (sealed(rsa_key(n=(1 << 1023) + 1), "1024"), "key-unsuitable"),
        "modulus-4104": (sealed(rsa_key(n=(1 << 4103) + 1), "4104"), "key-unsuitable"),
        "exponent-3": (sealed(rsa_key(e=3), "e3"), "key-unsuitable"),
        "exponent-even": (sealed(rsa_key(e=65538), "e-even"), "key-unsuitable"),
        "exponent-33-bits": (sealed(rsa_key(e=(1 << 32) + 1), "e33"), "key-unsuitable"),
        "not-rsa": (sealed(not_rsa(), "ec"), "key-unsuitable"),
    }


def number(name: str) -> int:
    names = ("version", "n", "e", "d", "p", "q", "dp", "dq", "qinv")
    parts = der.whole(der.whole(plain(2048, 3)).sequence()[2].content).sequence()
    return parts[names.index(name)].integer()


def cut_numbers() -> bytes:
    inner = der.seq(*(part.raw for part in der.whole(der.whole(plain(2048, 3)).sequence()[2].content).sequence()[:6]))
    return der.seq(der.integer(0), der.algorithm("1.2.840.113549.1.1.1"), der.octets(inner))


def not_rsa() -> bytes:
    curve = der.algorithm("1.2.840.10045.2.1", der.oid("1.2.840.10045.3.1.7"))
    return der.seq(der.integer(0), curve, der.octets(der.seq(der.integer(1), der.octets(bytes(32)))))


def write_manifest(folder: Path, note: str, files: list[dict[str, Any]]) -> None:
    record = {"note": note, "made_by": "vectors/key-files/make.py", "files": files}
    (folder / "manifest.json").write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def mismatched() -> dict[str, Any]:
    """A whole key beside a certificate of another key."""
    return {
        "file": "a-2048.key",
        "password": PASSWORD,
        "certificate": "../npki-samples/pypinksign/signCert.der",
        "code": "key-mismatch",
    }


def random_attributes() -> list[dict[str, Any]]:
    """Keys that open, whose R is refused (security A14)."""
    parts = [part.raw for part in der.whole(plain(2048, 4)).sequence()]

    def attribute(*values: bytes) -> bytes:
        return der.seq(RANDOM_NUMBER, der.set_of(list(values)))

    good = der.bits(fixed("R/04")(20))
    cases = {
        "r-152-bits": attribute(der.bits(fixed("R/short")(19))),
        "r-520-bits": attribute(der.bits(fixed("R/long")(65))),
        "r-unused-bits": attribute(der.tlv(der.BIT_STRING, b"\4" + bytes(20))),
        "r-octet-string": attribute(der.octets(bytes(20))),
        "r-two-values": attribute(good, der.bits(fixed("R/05")(20))),
        "r-twice": attribute(good) + attribute(good),
    }
    told = []
    for name, encoded in cases.items():
        pkcs8 = der.seq(*parts, der.tlv(0xA0, encoded))
        data = seal_key(pkcs8, PASSWORD.encode(), Variant.PBE_SHA1_SEED, random=fixed(name))
        (HERE / f"{name}.key").write_bytes(data)
        told.append({"file": f"{name}.key", "password": PASSWORD, "code": "vid-random"})
    return told


def main() -> None:
    files = whole_files()
    record = {
        "note": "r: octets of R; random_der: its BIT STRING, as VID hashes it; attributes: the [0] part of the PKCS#8 "
        "(all hex); password: UTF-8 text.",
        "made_by": "vectors/key-files/make.py",
        "files": files,
        "mismatched": [mismatched()],
        "random_refused": random_attributes(),
    }
    (HERE / "manifest.json").write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    REFUSALS.mkdir(exist_ok=True)
    told = []
    for name, (data, code) in broken_files().items():
        (REFUSALS / f"{name}.key").write_bytes(data)
        told.append({"file": f"{name}.key", "kind": "key-file", "password": PASSWORD, "code": code})
    write_manifest(REFUSALS, "Hostile and broken key files; code: the refusal when opened under the password.", told)


if __name__ == "__main__":
    main()
