"""What every place of publication promises (`ingam.ports.directory`): the folder, and an LDAP directory (slapd)."""

from __future__ import annotations

import base64
import random
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests import slapd
from tests.npki import certs
from tests.protocols.crl.issuers import NOW, issuer, outline, signed

from ingam.adapters.directory.folder import FolderDirectory
from ingam.adapters.directory.ldap import LdapDirectory, LdapSettings
from ingam.kernel.secret import Secret
from ingam.npki import der, subject
from ingam.ports.directory import (
    Attribute,
    AuthorityCertificate,
    Directory,
    NotPublic,
    OlderList,
    Place,
    PublicList,
    dn_of,
    dn_text,
)
from ingam.protocols.crl import glance, writing

CA = certs.ca().certificate.der
PERSON = certs.person().certificate.der


@dataclass(frozen=True, slots=True)
class Ground:
    """A place of publication, where a list may stand, and another way to see what stands there."""

    directory: Directory
    place: Place
    stands: Callable[[Place, Attribute], list[bytes]]


@pytest.fixture(scope="module")
def server() -> Iterator[slapd.Server]:
    with slapd.server() as running:
        yield running


@pytest.fixture(params=["folder", "ldap"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Ground:
    if request.param == "folder":
        return Ground(FolderDirectory(tmp_path / "published"), a_place(), lambda *at: in_folder(tmp_path, *at))
    server: slapd.Server = request.getfixturevalue("server")
    place = a_place(server.tree())
    return Ground(ldap_directory(server), place, lambda *at: in_ldap(server, *at))


def a_place(above: tuple[tuple[str, str], ...] = (("c", "KR"), ("o", "Ingam"), ("ou", "DemoCA"))) -> Place:
    return Place("dp1p3", (*above, ("ou", "dp1p3")))


def ldap_directory(server: slapd.Server) -> LdapDirectory:
    return LdapDirectory(LdapSettings(server.url, slapd.MANAGER, Secret(slapd.PASSWORD)))


def in_folder(tmp_path: Path, place: Place, attribute: Attribute) -> list[bytes]:
    path = tmp_path / "published" / place.file_name(attribute)
    return [path.read_bytes()] if path.exists() else []


def in_ldap(server: slapd.Server, place: Place, attribute: Attribute) -> list[bytes]:
    """By `ldapsearch`, as anybody reads it."""
    name = f"{attribute.value};binary"
    try:
        told = server.search(place.entry, name)
    except subprocess.CalledProcessError:
        return []
    return [base64.b64decode(line.partition(":: ")[2]) for line in told.splitlines() if line.startswith(f"{name}:: ")]


@cache
def der_list(number: int, *, base: int | None = None, entries: int = 1) -> bytes:
    by = issuer()
    begins = NOW + timedelta(seconds=number)
    about = outline(by, number=number, base=base, this_update=begins, next_update=begins + timedelta(days=1))
    return signed(by, about, *(writing.entry(0x7000 + each, NOW) for each in range(entries)))


def listed(tmp_path: Path, number: int, attribute: Attribute = Attribute.LIST, entries: int = 1) -> PublicList:
    path = tmp_path / f"{attribute.value}-{number}-{entries}"
    if not path.exists():
        base = number - 1 if attribute is Attribute.DELTA else None
        path.write_bytes(der_list(number, base=base, entries=entries))
    return PublicList(path, attribute)


def test_a_list_is_read_back_as_it_was_made(ground: Ground, tmp_path: Path) -> None:
    assert ground.directory.number(ground.place, Attribute.LIST) is None
    ground.directory.publish_list(ground.place, listed(tmp_path, 7))
    assert ground.stands(ground.place, Attribute.LIST) == [der_list(7)]
    assert ground.directory.number(ground.place, Attribute.LIST) == 7


def test_a_newer_list_takes_the_place_of_an_older_one(ground: Ground, tmp_path: Path) -> None:
    for number in (7, 8, 300):
        ground.directory.publish_list(ground.place, listed(tmp_path, number))
    assert ground.stands(ground.place, Attribute.LIST) == [der_list(300)]


def test_D13_an_older_list_never_takes_the_place_of_a_newer_one(ground: Ground, tmp_path: Path) -> None:
    ground.directory.publish_list(ground.place, listed(tmp_path, 8))
    with pytest.raises(OlderList) as refused:
        ground.directory.publish_list(ground.place, listed(tmp_path, 7))
    assert refused.value.facts["found"] == 8
    assert ground.stands(ground.place, Attribute.LIST) == [der_list(8)]


def test_D13_another_list_of_the_same_number_is_refused_and_the_same_one_is_fine(
    ground: Ground, tmp_path: Path
) -> None:
    ground.directory.publish_list(ground.place, listed(tmp_path, 8))
    ground.directory.publish_list(ground.place, listed(tmp_path, 8))
    with pytest.raises(OlderList):
        ground.directory.publish_list(ground.place, listed(tmp_path, 8, entries=2))
    assert ground.stands(ground.place, Attribute.LIST) == [der_list(8)]


def test_D13_many_publishers_at_once_leave_the_newest_and_it_never_goes_back(ground: Ground, tmp_path: Path) -> None:
    lists = [listed(tmp_path, number) for number in range(1, 25)]
    seen: list[int] = []
    over = threading.Event()

    def publish(mine: list[PublicList]) -> None:
        for one in mine:
            try:
                ground.directory.publish_list(ground.place, one)
            except OlderList:
                continue

    def watch() -> None:
        while not over.is_set():
            seen.extend(glance.of(one).number for one in ground.stands(ground.place, Attribute.LIST))

    random.Random(13).shuffle(lists)
    publishers = [threading.Thread(target=publish, args=(lists[each::4],)) for each in range(4)]
    watcher = threading.Thread(target=watch)
    for each in (watcher, *publishers):
        each.start()
    for each in publishers:
        each.join()
    over.set()
    watcher.join()
    assert seen == sorted(seen)
    assert ground.stands(ground.place, Attribute.LIST) == [der_list(24)]


def test_a_list_of_cas_a_delta_and_a_certificate_stand_beside_it(ground: Ground, tmp_path: Path) -> None:
    for attribute in (Attribute.LIST, Attribute.DELTA):
        ground.directory.publish_list(ground.place, listed(tmp_path, 9, attribute))
    ground.directory.publish_certificate(ground.place, AuthorityCertificate(CA))
    assert ground.stands(ground.place, Attribute.LIST) == [der_list(9)]
    assert ground.stands(ground.place, Attribute.DELTA) == [der_list(9, base=8)]
    assert ground.stands(ground.place, Attribute.CERTIFICATE) == [CA]
    assert [ground.directory.number(ground.place, one) for one in (Attribute.LIST, Attribute.DELTA)] == [9, 9]


def test_a_roots_list_stands_at_an_entry_of_its_name(ground: Ground, tmp_path: Path) -> None:
    root = Place("root-1", (*ground.place.dn[:-2], ("ou", "Central"), ("cn", "Ingam-Demo-RootCA-1")))
    ground.directory.publish_list(root, listed(tmp_path, 3, Attribute.AUTHORITY_LIST))
    ground.directory.publish_certificate(root, AuthorityCertificate(certs.root().certificate.der))
    assert ground.stands(root, Attribute.AUTHORITY_LIST) == [der_list(3)]
    assert ground.stands(root, Attribute.CERTIFICATE) == [certs.root().certificate.der]


def test_the_same_certificate_again_changes_nothing(ground: Ground) -> None:
    for _ in range(2):
        ground.directory.publish_certificate(ground.place, AuthorityCertificate(CA))
    assert ground.stands(ground.place, Attribute.CERTIFICATE) == [CA]


def test_an_authority_of_korean_name_and_signs_has_its_entry(ground: Ground, tmp_path: Path) -> None:
    place = Place("dp1p4", (*ground.place.dn[:-1], ("o", '인감, "시연" + #1 <기관>; a=b\\ '), ("ou", "# dp1p4")))
    ground.directory.publish_list(place, listed(tmp_path, 5))
    assert ground.stands(place, Attribute.LIST) == [der_list(5)]


def test_H4_a_persons_certificate_cannot_be_published(ground: Ground, tmp_path: Path) -> None:
    with pytest.raises(NotPublic):
        AuthorityCertificate(PERSON)
    (tmp_path / "person").write_bytes(PERSON)
    for attribute in Attribute:
        with pytest.raises(NotPublic):
            PublicList(tmp_path / "person", attribute)
    # What only looks like one of the two types does not go out either.
    pretender = SimpleNamespace(
        public_octets=lambda: PERSON, path=tmp_path / "person", number=9, attribute=Attribute.LIST, size=1
    )
    for publish in (ground.directory.publish_certificate, ground.directory.publish_list):
        with pytest.raises(NotPublic):
            publish(ground.place, pretender)  # type: ignore[arg-type]
    with pytest.raises(NotPublic):
        ground.directory.publish_certificate(ground.place, certs.person().certificate)  # type: ignore[arg-type]
    assert all(ground.stands(ground.place, attribute) == [] for attribute in Attribute)


def test_H4_no_entry_is_a_persons(ground: Ground) -> None:
    with pytest.raises(NotPublic):
        Place("x", (("c", "KR"), ("uid", "hong")))
    with pytest.raises(NotPublic):
        Place("x", (("c", "KR"), ("serialNumber", "1")))
    with pytest.raises(NotPublic):
        Place("../x", (("c", "KR"),))
    with pytest.raises(NotPublic):
        Place("x", (("c", "KR"), ("o", "a\n")))
    both = der.seq(
        der.set_of([certs._attribute("CN", "a", der.UTF8_STRING), certs._attribute("O", "b", der.UTF8_STRING)])
    )
    with pytest.raises(NotPublic):
        dn_of(subject.parse(both))


def test_H4_a_ca_that_may_not_sign_certificates_is_none(tmp_path: Path) -> None:
    private = certs.key("rsa2048-03")
    for extensions in (
        [certs.ski(private), certs.basic(ca=True), certs.usage(certs.SIGN)],
        [certs.ski(private), certs.basic(ca=False), certs.usage(certs.AUTHORITY)],
        [certs.ski(private), certs.usage(certs.AUTHORITY)],
    ):
        made = certs.build(
            subject=certs.PERSON_NAME, public=certs.spki(private), issuer=certs.CA_NAME, signer=private,
            extensions=extensions,
        )  # fmt: skip
        with pytest.raises(NotPublic):
            AuthorityCertificate(made)


def test_a_list_is_only_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(der_list(5))
    (tmp_path / "delta").write_bytes(der_list(5, base=4))
    (tmp_path / "cut").write_bytes(der_list(5)[:-1])
    for name, attribute in (
        ("list", Attribute.DELTA),
        ("list", Attribute.CERTIFICATE),
        ("delta", Attribute.LIST),
        ("cut", Attribute.LIST),
    ):
        with pytest.raises(NotPublic):
            PublicList(tmp_path / name, attribute)
    with pytest.raises(FileNotFoundError):
        PublicList(tmp_path / "nowhere", Attribute.LIST)


def test_an_entry_is_written_leaf_first_with_its_escapes() -> None:
    assert a_place().entry == "ou=dp1p3,ou=DemoCA,o=Ingam,c=KR"
    assert dn_text((("c", "KR"), ("o", 'a, "b"'), ("ou", " x "))) == 'ou=\\ x\\ ,o=a\\, \\"b\\",c=KR'
    assert dn_of(certs.ca().certificate.subject) == (
        ("c", "KR"), ("o", "SignKorea"), ("ou", "AccreditedCA"), ("cn", "SignKorea Test CA4"),
    )  # fmt: skip
