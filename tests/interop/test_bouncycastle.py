"""BouncyCastle and Java's own PKIX: enrolment with both MACs and under certificates, and what we publish."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.interop.bouncycastle import Programs
from tests.interop.openssl import OpenSsl, Said
from tests.interop.people import NAME, Key, People, curve_key, enrol, new_idn, rsa_key
from tests.interop.running import Running, Standing

from ingam.npki import certificate
from ingam.npki.certificate import Certificate

pytestmark = pytest.mark.xdist_group("interop")
VALID = Standing("valid", None)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return Programs.compiled(tmp_path_factory.mktemp("classes"))


@dataclass
class Bouncy:
    """A client and its folder."""

    programs: Programs
    authority: Running
    folder: Path

    def by_code(self, mac: str, kind: str, *how: str, idn: str = "", key: Key | None = None, code: str = "") -> Said:
        """Asks under a new registration; `code`: another one than that which was given."""
        given = self.authority.register("member", NAME, idn or new_idn())
        return self._ask("mac", given.reference, code or given.code, mac, kind, *how, key=key)

    def signed(self, own: Certificate, own_key: Key, kind: str, *how: str) -> Said:
        """Asks under a certificate."""
        (self.folder / "own.der").write_bytes(own.der)
        self._write("own.p8", own_key)
        OpenSsl(self.folder).pem("chain", self.authority.holdings.issuing[1])
        files = (self.folder / name for name in ("own.der", "own.p8", "chain.pem"))
        return self._ask("signed", *map(str, files), kind, *how)

    @property
    def new(self) -> Certificate:
        """The certificate that it stored."""
        return certificate.parse((self.folder / "new.der").read_bytes())

    def _ask(self, *words: str, key: Key | None = None) -> Said:
        self._write("new.p8", key or curve_key())
        protection, kind, how = words[:4], words[4], words[5:]
        files = (str(self.folder / "new.p8"), str(self.folder / "new.der"))
        return self.programs.run("Client", self.authority.cmp, *protection, kind, *files, *how)

    def _write(self, name: str, key: Key) -> None:
        (self.folder / name).write_bytes(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


@pytest.fixture
def bouncy(programs: Programs, authority: Running, tmp_path: Path) -> Bouncy:
    return Bouncy(programs, authority, tmp_path)


@pytest.mark.parametrize(("mac", "kind"), [("pbmac1", "ir"), ("pbmac1", "p10cr"), ("pbm", "ir"), ("pbm", "cr")])
def test_whoever_has_a_code_is_certified_and_confirms(bouncy: Bouncy, mac: str, kind: str) -> None:
    text = bouncy.by_code(mac, kind).well()
    assert "status 1" in text and "confirmed" in text  # grantedWithMods: the name is the registration's
    assert bouncy.authority.standing(bouncy.new) == VALID


def test_an_RSA_key_and_an_implicit_confirmation(bouncy: Bouncy) -> None:
    assert "implicitly confirmed" in bouncy.by_code("pbmac1", "ir", "implicit", key=rsa_key()).well()
    assert bouncy.authority.standing(bouncy.new) == VALID


def test_what_it_declines_is_revoked_and_the_old_one_stands(bouncy: Bouncy) -> None:
    old = enrol(bouncy.authority, "member")
    assert "declined" in bouncy.by_code("pbmac1", "ir", "decline", idn=old.idn).well()
    assert bouncy.authority.standing(bouncy.new).state == "revoked"
    assert bouncy.authority.standing(old.certificate) == VALID


def test_a_wrong_code_is_a_bad_message_check(bouncy: Bouncy) -> None:
    said = bouncy.by_code("pbmac1", "ir", code="WRONG")
    assert said.code == 2 and "status 2" in said.text and "cmp-protection-wrong" in said.text


def test_under_its_certificate_it_asks_renews_and_revokes(bouncy: Bouncy) -> None:
    old = enrol(bouncy.authority, "member")
    opener = bouncy.authority.holdings.service("encryption", 1, old.certificate.not_before).certificate
    asked = bouncy.signed(old.certificate, old.key, "genm").well()
    assert f"CN={opener.subject.value('CN')}" in asked
    assert "confirmed" in bouncy.signed(old.certificate, old.key, "kur").well()
    assert bouncy.authority.standing(old.certificate) == Standing("revoked", "superseded")
    other = enrol(bouncy.authority, "member")
    assert "status 0" in bouncy.signed(other.certificate, other.key, "rr").well()
    assert bouncy.authority.standing(other.certificate) == Standing("revoked", "keyCompromise")


# What the authority publishes


@dataclass(frozen=True)
class Published:
    """root.der, ca.der and a file for each of the people."""

    folder: Path

    def __call__(self, *names: str) -> list[Path]:
        return [self.folder / f"{name}.der" for name in names]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, authority: Running, people: People) -> Published:
    made, holdings = Published(tmp_path_factory.mktemp("published")), authority.holdings
    found = {"root": holdings.roots[1], "ca": holdings.issuing[1]}
    found |= {name: getattr(people, name).certificate for name in PEOPLE}
    for name, one in found.items():
        (made.folder / f"{name}.der").write_bytes(one.der)
    return made


PEOPLE = ("good", "revoked", "held")


def test_it_reads_the_list_and_the_answer_that_a_certificate_names(programs: Programs, published: Published) -> None:
    told = programs.run("Reader", *published("ca", *PEOPLE)).well().splitlines()
    assert told == [
        "good.der list: good", "good.der ocsp: good",
        "revoked.der list: revoked 1", "revoked.der ocsp: revoked 1",
        "held.der list: revoked 6", "held.der ocsp: revoked 6",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def judged(programs: Programs, published: Published) -> dict[str, str]:
    """`good.der bc list` → what was said of it."""
    lines = programs.run("Judge", *published("root", "ca", *PEOPLE)).well().splitlines()
    return dict(line.split(": ", 1) for line in lines)


@pytest.mark.parametrize("by", ["list", "ocsp"])
@pytest.mark.parametrize("who", ["bc", "java"])
def test_a_path_is_built_and_its_end_checked_with_what_certificates_name(
    judged: dict[str, str], who: str, by: str
) -> None:
    assert judged[f"good.der {who} {by}"] == "good"
    for name, reason in (("revoked", "keyCompromise"), ("held", "certificateHold")):
        said = judged[f"{name}.der {who} {by}"]
        assert "revo" in said and reason.lower() in said.lower().replace("_", ""), said
