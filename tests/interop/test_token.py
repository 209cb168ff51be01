"""The whole authority with its keys in a SoftHSM token: founded, enrolling, revoking and answering by its commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.adapters.hsm.places import LABEL, PIN, Token, module
from tests.interop.conftest import trusting
from tests.interop.openssl import by
from tests.interop.people import curve_key
from tests.interop.running import Running

pytestmark = pytest.mark.xdist_group("interop")

KINDS = {"root": "p-256", "issuing": "rsa-2048", "ocsp": "p-256", "encryption": "rsa-2048"}


def test_an_authority_in_a_token_enrols_revokes_and_answers(tmp_path: Path) -> None:
    token = Token.empty(tmp_path / "token")
    authority = Running(
        tmp_path / "data", INGAM_CA_MODULE=str(module()), INGAM_CA_TOKEN=LABEL, INGAM_CA_PIN=PIN.reveal(),
        SOFTHSM2_CONF=str(token.folder / "softhsm2.conf"),
    )  # fmt: skip
    authority.data.mkdir()
    founded(authority)
    assert not list(authority.folder.rglob("*.p8"))
    with authority.processes("ca", "va"):
        openssl = trusting(tmp_path, authority)
        openssl.key("new", curve_key())
        code = authority.register("member", "홍길동", "7510051000001")
        openssl.cmp(authority, "ir", *by(code), "-newkey", "new.key", "-certout", "new.pem").well()
        openssl("verify", "-x509_strict", "-trusted", "root.pem", "-untrusted", "ca.pem", "new.pem")
        asked = ("-issuer", "ca.pem", "-url", authority.ocsp, "-CAfile", "root.pem", "-verify_other", "ca.pem")
        assert "new.pem: good" in openssl("ocsp", *asked, "-cert", "new.pem")
        own = ("-cert", "new.pem", "-key", "new.key", "-trusted", "root.pem", "-oldcert", "new.pem")
        openssl.cmp(authority, "rr", *own, "-revreason", "1").well()
        assert "new.pem: revoked" in openssl("ocsp", *asked, "-cert", "new.pem")


def founded(authority: Running) -> None:
    """`ingam ca init` as a person runs it: a program of its own, which is told where the token is."""
    for name, text in authority.files.items():
        (authority.data / name).write_text(text, encoding="utf-8")
    kinds = [word for use, kind in KINDS.items() for word in ("--key", f"{use}={kind}")]
    ingam = [sys.executable, "-c", "from ingam.run.cli import main; raise SystemExit(main())"]
    words = ["ca", "init", "--json", *kinds, "--authority", f"{authority.data}/authority.toml"]
    place, environment = ["--pkcs11", str(module()), "--token", LABEL], {**os.environ, **authority.environment}
    done = subprocess.run([*ingam, *words, *place], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert {one["name"] for one in told["certificates"]} >= {"root-1", "issuing-1", "ocsp-1", "encryption-1", "cmp-1"}
