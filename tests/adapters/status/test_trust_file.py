"""The trust configuration of a center: read whole or refused, and a responder is a responder (A7, A11)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sandbox.conftest import Box

from ingam.adapters.status import trust_file
from ingam.adapters.status.trust_file import TrustFileRefused
from ingam.kernel.errors import Refusal


@pytest.fixture
def trust(kept: Box, tmp_path: Path) -> Path:
    """A copy of the sandbox's trust folder."""
    return Path(shutil.copytree(kept.trust, tmp_path / "trust"))


def changed(trust: Path, change: Callable[[str], str]) -> Path:
    """The file after a change of its text."""
    path = trust / "authorities.toml"
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    return path


def test_A7_every_configured_authority_is_known_by_its_fingerprint(trust: Path) -> None:
    authorities, anchors = trust_file.read(trust / "authorities.toml")
    assert len(authorities.by_fingerprint) >= 3
    for fingerprint, one in authorities.by_fingerprint.items():
        assert one.certificate.fingerprint == fingerprint and one.ocsp.startswith("http")
        assert anchors.authorities_named(one.certificate.subject)


@pytest.mark.parametrize(
    "change",
    [
        lambda _: "",
        lambda _: "issuing = 7",
        lambda _: "issuing = ['x']",
        lambda _: "[[issuing]]\nname = 'x'\ncertificate = 'missing.der'",
        lambda _: "[[issuing]]\nname = 'x'\ncertificate = 'authorities.toml'",
        lambda text: text + "\n= broken",
        lambda text: text.replace("certificate", "zertifikat"),
    ],
    ids=["empty", "number", "strings", "no file", "no certificate", "no toml", "no key"],
)
def test_a_file_that_is_not_usable_is_refused(trust: Path, change: Callable[[str], str]) -> None:
    with pytest.raises(TrustFileRefused):
        trust_file.read(changed(trust, change))


def test_A11_an_authoritys_own_or_a_persons_certificate_is_no_responder(trust: Path, kept: Box) -> None:
    (trust / "person.der").write_bytes(kept.world.newest("securities").certificate)
    for name in ("signkorea-ca4.der", "person.der"):
        copied = Path(shutil.copytree(trust, trust.with_name(f"with-{name}")))
        wrong = copied / "authorities.toml"
        text = wrong.read_text(encoding="utf-8").replace("signkorea-ca4-ocsp.der", name)
        wrong.write_text(text, encoding="utf-8")
        with pytest.raises(Refusal) as caught:
            trust_file.read(wrong)
        assert caught.value.facts["reason"] == "responder-purpose"


def test_A11_a_responder_of_another_root_is_refused(trust: Path) -> None:
    """The root key 5 did not sign it: SignKorea CA5's responder does not speak for CA4."""
    stranger = changed(trust, lambda text: text.replace("signkorea-ca4-ocsp.der", "signkorea-ca5-ocsp.der"))
    with pytest.raises(TrustFileRefused) as caught:
        trust_file.read(stranger)
    assert caught.value.facts["reason"] == "responder-issuer"
