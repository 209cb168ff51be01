"""Makes the .pfx files of this folder: as Korean tools write them, for backup, in BER, broken; always the same.

`python vectors/pfx/make.py` from the root of the project. The pairs are the public samples beside. The `openssl-*.pfx`
are no work of this script: `openssl pkcs12 -export` 3.0 made them once from the same pair, whose R it drops.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingam.npki import der, key_file, pfx
from ingam.npki.der import Element

HERE = Path(__file__).parent
SAMPLES = HERE.parent / "npki-samples"
PINK, KIEA = "WTuA8Ev0lWXVFSiI!", "11223344"
OPENSSL = "ingam-Test#2026"


def fixed(label: str) -> Callable[[int], bytes]:
    """Bytes that look random and are always the same."""
    drawn = iter(range(1 << 30))
    return lambda size: hashlib.shake_256(f"{label}/{next(drawn)}".encode()).digest(size)


def pair(folder: str, password: str, cert: str = "signCert.der", key: str = "signPri.key") -> tuple[bytes, bytes]:
    opened = key_file.open_key((SAMPLES / folder / key).read_bytes(), password.encode())
    return (SAMPLES / folder / cert).read_bytes(), bytes(opened.pkcs8.reveal())


def indefinite(element: Element) -> bytes:
    """BER: indefinite lengths around everything constructed, long octet strings in pieces of 300 bytes."""
    if element.tag & 0x20:
        return bytes((element.tag, 0x80)) + b"".join(map(indefinite, element.children())) + b"\0\0"
    if element.tag == der.OCTET_STRING and len(element.content) > 300:
        content = element.content
        pieces = (der.octets(content[at : at + 300]) for at in range(0, len(content), 300))
        return b"\x24\x80" + b"".join(pieces) + b"\0\0"
    return element.raw


def remade(data: bytes, *, mac: bytes | None) -> bytes:
    """The file with another MacData, or without one."""
    version, content, _ = der.whole(data).sequence()
    return der.seq(version.raw, content.raw, mac or b"")


def mac_data(rounds: bytes) -> bytes:
    digest = der.seq(der.algorithm("1.3.14.3.2.26"), der.octets(bytes(20)))
    return der.seq(digest, der.octets(bytes(8)), der.tlv(der.INTEGER, rounds))


def whole(name: str, data: bytes, password: str, pairs: list[tuple[bytes, bytes]], made_by: str) -> dict[str, Any]:
    (HERE / f"{name}.pfx").write_bytes(data)
    return entry(name, password, pairs, made_by)


def entry(name: str, password: str, pairs: list[tuple[bytes, bytes]], made_by: str) -> dict[str, Any]:
    return {
        "file": f"{name}.pfx",
        "password": password,
        "made_by": made_by,
        "certificates_sha256": [hashlib.sha256(cert).hexdigest() for cert, _ in pairs],
        "pkcs8_sha256": [hashlib.sha256(pkcs8).hexdigest() for _, pkcs8 in pairs],
        "has_r": [b"\x2a\x83\x1a\x8c\x9a\x44\x0a\x01\x01\x03" in pkcs8 for _, pkcs8 in pairs],
    }


def main() -> None:
    pink, kiea = pair("pypinksign", PINK), pair("kiea-mydata", KIEA)
    km = pair("kiea-mydata", KIEA, "kmCert.der", "kmPri.key")
    ours = "vectors/pfx/make.py"
    plain = pfx.write_pfx([pink], PINK.encode(), random=fixed("plain"))
    files = [
        whole("interoperable", plain, PINK, [pink], ours),
        whole("with-km", pfx.write_pfx([kiea, km], KIEA.encode(), random=fixed("km")), KIEA, [kiea, km], ours),
        whole(
            "for-backup", pfx.write_pfx([kiea], KIEA.encode(), for_backup=True, random=fixed("b")), KIEA, [kiea], ours
        ),
        whole("ber", indefinite(der.whole(plain)), PINK, [pink], ours),
    ]
    bare = der.seq(*(part.raw for part in der.whole(pink[1]).sequence()[:3]))
    names = ("openssl-default", "openssl-legacy", "openssl-rc2-128", "openssl-seed-aria", "openssl-sha512-mac")
    files += [entry(name, OPENSSL, [(pink[0], bare)], "openssl pkcs12 -export") for name in names]
    refused = {
        "another-password": (pfx.write_pfx([pink], b"another", random=fixed("other")), "wrong-password"),
        "certificate-flipped": (flipped(plain, 500), "pfx-damaged"),
        "key-flipped": (flipped(plain, 2000), "pfx-damaged"),
        "mac-missing": (remade(plain, mac=None), "pfx-unprotected"),
        "mac-iterations-huge": (remade(plain, mac=mac_data(b"\x7f\xff\xff\xff")), "key-iterations"),
        "mac-iterations-zero": (remade(plain, mac=mac_data(b"\0")), "pfx-damaged"),
        "without-key": (pfx.write_pfx([], PINK.encode(), others=[pink[0]], random=fixed("none")), "pfx-without-key"),
        "truncated": (plain[:1500], "pfx-damaged"),
        "trailing-zero": (plain + b"\0", "pfx-damaged"),
        "not-a-pfx": (pink[0], "pfx-damaged"),
        "empty": (b"", "pfx-damaged"),
        "endless": (b"\x30\x80" * 8000, "pfx-damaged"),
        "too-large": (plain + bytes(64 * 1024), "key-too-large"),
    }
    told = []
    for name, (data, code) in refused.items():
        (HERE / f"refused-{name}.pfx").write_bytes(data)
        told.append({"file": f"refused-{name}.pfx", "password": PINK, "code": code})
    record = {
        "note": "pairs in the order of the file, signing pair first; pkcs8_sha256: of the plain PKCS#8, R included",
        "files": files,
        "refused": told,
    }
    (HERE / "manifest.json").write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def flipped(data: bytes, at: int) -> bytes:
    out = bytearray(data)
    out[at] ^= 0x01
    return bytes(out)


if __name__ == "__main__":
    main()
