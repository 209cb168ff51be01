"""Publishing over the real books: killed at every step and gone on, into a real directory, believed by openssl."""

from __future__ import annotations

import base64
import signal
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tests import slapd
from tests.ca.publishing.durable import Durable
from tests.ca.publishing.world import START, YEAR, authority, issuing, root, signer

from ingam.adapters.directory.ldap import LdapDirectory, LdapSettings
from ingam.ca.publishing.lists import ROOT_PLAN, ListIssuer, root_number
from ingam.kernel.secret import Secret
from ingam.npki import certificate, shapes
from ingam.npki.shapes import AuthorityKey, Shape, Usage, Validity
from ingam.ports.signing import Intent
from ingam.protocols import crl
from ingam.protocols.crl import glance

STEPS = [*(f"publishing.{number}" for number in range(1, 7)), "folder.drafted"]


def listed(world: Durable, name: str = "dp1p1.crl", partition: str | None = "dp1p1") -> crl.RevocationList:
    data = (world.folder / "published" / name).read_bytes()
    return crl.verify(
        crl.parse(data), issuer=issuing(), partition=partition, lowest_number=0, at=world.clock.now(), max_age=None
    )


@pytest.mark.parametrize("step", STEPS)
def test_D13_a_publisher_that_is_killed_leaves_a_whole_list_and_the_next_one_goes_on(tmp_path: Path, step: str) -> None:
    world = Durable(tmp_path)
    world.revoke(1)
    world.settle()
    assert (listed(world).number, set(listed(world).entries)) == (1, {0x7F01})
    world.clock.forward(60)
    world.revoke(2)
    world.clock.forward(60)
    assert world.killed_at(step) == -signal.SIGKILL
    between = listed(world)
    assert between.entries.keys() in ({0x7F01}, {0x7F01, 0x7F02})
    world.clock.forward(1)
    world.settle()
    after = listed(world)
    assert after.entries.keys() == {0x7F01, 0x7F02}
    assert after.number >= between.number
    kept = sorted(path.name.split(".")[0] for path in (tmp_path / "lists").glob("*.crl"))
    assert kept == ["dp1p1", "issuing-1", "issuing-1-delta"]
    for folder in ("lists", "published"):
        assert [path.name for path in (tmp_path / folder).glob(".*")] == [".lock"]


def test_the_first_list_ever_survives_a_kill_at_every_step(tmp_path: Path) -> None:
    world = Durable(tmp_path)
    world.revoke(1)
    for step in STEPS:
        assert world.killed_at(step) == -signal.SIGKILL, step
        world.clock.forward(1)
        for path in (tmp_path / "published").glob("*.crl"):
            glance.of(path.read_bytes())
    world.settle()
    assert set(listed(world).entries) == {0x7F01}
    assert set(listed(world, "issuing-1.crl", None).entries) == {0x7F01}


def person(serial: int) -> bytes:
    """A certificate in partition 1, as profiles write the addresses."""
    of, by = authority(), signer("issuing-1")
    tbs = shapes.tbs_certificate(
        Shape(Usage.SIGN, crl=of.list_address("dp1p1"), crl_http=of.list_http("dp1p1"), policy=shapes.Policy("1.2.3")),
        serial=serial, issuer=issuing().subject.raw, validity=Validity(START - timedelta(days=1), START + YEAR),
        subject=shapes.name(("C", "KR"), ("O", "Ingam"), ("CN", "시연")), spki=by.public.spki,
        authority_key=AuthorityKey(issuing().ski or b"", issuing().issuer.raw, issuing().serial),
        algorithm=by.public.algorithm,
    )  # fmt: skip
    return shapes.assemble(tbs, by.sign(Intent.of(tbs)), by.public.algorithm)


def openssl_verify(folder: Path, lists: list[bytes], person: bytes, *, at: float) -> str:
    """What `openssl verify -crl_check_all` prints."""
    for name, der in (("root", root().der), ("ca", issuing().der), ("person", person)):
        (folder / f"{name}.pem").write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    (folder / "lists.pem").write_bytes(
        b"".join(x509.load_der_x509_crl(one).public_bytes(Encoding.PEM) for one in lists)
    )
    told = subprocess.run(
        ["openssl", "verify", "-crl_check_all", "-attime", str(int(at)), "-CAfile", folder / "root.pem", "-untrusted",
         folder / "ca.pem", "-CRLfile", folder / "lists.pem", folder / "person.pem"],
        check=False, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    return told.stdout + told.stderr


def test_lists_in_the_folder_and_in_the_directory_are_believed_by_openssl(tmp_path: Path) -> None:
    world = Durable(tmp_path)
    world.revoke(1)
    with slapd.server() as server:
        directory = LdapDirectory(LdapSettings(server.url, slapd.MANAGER, Secret(slapd.PASSWORD)))
        assert {one.code for step in world.settle(directory) for one in step.outcomes} == {None}
        above = ListIssuer(root_number(1), root(), signer("root-1"), ROOT_PLAN)
        assert {one.code for one in world.publisher(directory, by=above).step().outcomes} == {None}
        in_ldap = value(server, "ou=dp1p1,ou=DemoCA,o=Ingam,c=KR", "certificateRevocationList;binary")
        entry = authority().root.entry.format(generation=1)
        arl = value(server, entry, "authorityRevocationList;binary")
        subject = "cn=Ingam Demo CA1,ou=DemoCA,o=Ingam,c=KR"
        assert value(server, subject, "cACertificate;binary") == issuing().der
        assert glance.of(value(server, subject, "deltaRevocationList;binary")).base is not None
    folder = tmp_path / "published"
    assert in_ldap == (folder / "dp1p1.crl").read_bytes()
    assert arl == (folder / "root-1.crl").read_bytes()
    at = (START + timedelta(minutes=1)).timestamp()
    assert "certificate revoked" in openssl_verify(tmp_path, [arl, in_ldap], person(0x7F01), at=at)
    assert ": OK" in openssl_verify(tmp_path, [arl, in_ldap], person(0x7F02), at=at)
    assert "unable to get certificate CRL" in openssl_verify(tmp_path, [in_ldap], person(0x7F02), at=at)
    assert crl.partition_of(certificate.parse(person(5))) == "dp1p1"


def value(server: slapd.Server, entry: str, attribute: str) -> bytes:
    """The one value, by `ldapsearch`."""
    lines = [line for line in server.search(entry, attribute).splitlines() if line.startswith(f"{attribute}:: ")]
    (line,) = lines
    return base64.b64decode(line.partition(":: ")[2])


def test_D13_two_processes_at_once_give_each_number_once_and_it_never_goes_back(tmp_path: Path) -> None:
    world = Durable(tmp_path)
    world.revoke(1, 2, 3)
    world.settle()
    processes, numbers = [world.elsewhere("busy"), world.elsewhere("busy")], [1]
    while any(one.poll() is None for one in processes):
        numbers.append(glance.of((tmp_path / "published" / "dp1p1.crl").read_bytes()).number)
    assert [one.wait() for one in processes] == [0, 0]
    assert numbers == sorted(numbers)
    world.clock.forward(60)
    assert listed(world).number == 17
