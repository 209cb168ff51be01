"""Makes the CMP messages of this folder: whole exchanges of `openssl cmp` with its own mock server, under test keys.

`python vectors/cmp/make.py` from the root of the project. Times, nonces and salts are new each time: the files were
made once (OpenSSL 3.0) and stay. `manifest.json` says what protects each, and what is read in it.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
KEYS = HERE.parent / "keys"
CODE, REFERENCE = "INGAM-TEST-CODE-OF-26-CHAR", "4711471147114711"
MAC = ["-ref", REFERENCE, "-secret", f"pass:{CODE}", "-srv_ref", REFERENCE, "-srv_secret", f"pass:{CODE}"]
SIGNED = [
    "-cert", "person.pem", "-key", "person.key", "-srvcert", "signer.pem",
    "-srv_cert", "signer.pem", "-srv_key", "signer.key", "-srv_trusted", "ca.pem",
]  # fmt: skip
NEW = ["-newkey", "new.key", "-subject", "/C=KR/O=Ingam Test/CN=new", "-certout", "out.pem"]
KUR = ["-newkey", "new.key", "-oldcert", "new.pem", "-certout", "out.pem"]


def openssl(place: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=place, check=True, capture_output=True)


def party(place: Path, name: str, key: str, issuer: str | None) -> None:
    """A key of the vectors and a certificate for it, good for thirty years."""
    openssl(place, "pkey", "-inform", "DER", "-in", str((KEYS / f"{key}.p8").resolve()), "-out", f"{name}.key")
    request = ["req", "-new", "-key", f"{name}.key", "-subj", f"/C=KR/O=Ingam Test/CN={name}", "-days", "10950"]
    by = [] if issuer is None else ["-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key"]
    usage = "keyCertSign,cRLSign" if issuer is None else "digitalSignature"
    openssl(place, *request, "-x509", *by, "-addext", f"keyUsage=critical,{usage}", "-out", f"{name}.pem")


def exchange(place: Path, label: str, command: str, proof: list[str], asked: list[str], *more: str) -> list[str]:
    """One exchange; the names of the files it leaves here, requests and answers in turn."""
    rounds = [(f"{label}-{command}", f"{label}-{command}-answer")]
    if "-certout" in asked and "-implicit_confirm" not in more:
        rounds.append((f"{label}-{command}-certconf", f"{label}-{command}-pkiconf"))
    sent, got = (",".join(f"{one[at]}.der" for one in rounds) for at in (0, 1))
    openssl(
        place, "cmp", "-config", "", "-use_mock_srv", "-rsp_cert", "new.pem", "-cmd", command, *proof,
        "-recipient", "/C=KR/O=Ingam Test/CN=ca", *asked, *more, "-reqout", sent, "-rspout", got,
    )  # fmt: skip
    names = [name for pair in rounds for name in pair]
    for name in names:
        (HERE / f"{name}.der").write_bytes((place / f"{name}.der").read_bytes())
    return names


def certificates(place: Path) -> None:
    for name, key, issuer in (("ca", "rsa2048-01", None), ("person", "rsa2048-02", "ca"), ("new", "rsa2048-05", "ca"),
                              ("signer", "rsa2048-04", "ca")):  # fmt: skip
        party(place, name, key, issuer)
        openssl(place, "x509", "-in", f"{name}.pem", "-outform", "DER", "-out", f"{name}.der")
        (HERE / f"{name}.cert").write_bytes((place / f"{name}.der").read_bytes())
    openssl(place, "req", "-new", "-key", "new.key", "-subj", "/C=KR/O=Ingam Test/CN=new", "-out", "new.csr")


def main() -> None:
    entries: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        certificates(place)
        csr = ["-csr", "new.csr", "-certout", "out.pem"]
        revoked = ["-oldcert", "new.pem", "-revreason", "4"]
        for label, proof in (("mac", MAC), ("signed", SIGNED)):
            for command, asked, more in (
                ("ir", NEW, []), ("kur", KUR, ["-grant_implicitconf", "-implicit_confirm"]), ("p10cr", csr, []),
                ("rr", revoked, []), ("genm", ["-infotype", "signKeyPairTypes"], []),
            ):  # fmt: skip
                names = exchange(place, label, command, proof, asked, *more)
                entries += [{"file": f"{name}.der", "protection": label, "of": command} for name in names]
    (HERE / "manifest.json").write_text(
        json.dumps({"code": CODE, "reference": REFERENCE, "messages": entries}, indent=1)
    )


if __name__ == "__main__":
    main()
