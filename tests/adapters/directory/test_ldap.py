"""A directory that is away, silent, dies in the middle, refuses, or is written by somebody else at the same time."""

from __future__ import annotations

import ipaddress
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from tests import slapd
from tests.npki import certs
from tests.ports.test_directory import CA, a_place, der_list, in_ldap, listed

from ingam.adapters.directory import ldap as adapter
from ingam.adapters.directory.ldap import ClearPassword, LdapDirectory, LdapSettings
from ingam.kernel.secret import Secret
from ingam.ports.directory import Attribute, AuthorityCertificate, DirectoryOutage, OlderList, Place


@pytest.fixture(scope="module")
def server() -> Iterator[slapd.Server]:
    with slapd.server(most=1 << 20) as running:
        yield running


def settings(server: slapd.Server, **changes: Any) -> LdapSettings:
    found = LdapSettings(server.url, slapd.MANAGER, Secret(slapd.PASSWORD), timeout_s=2)
    return replace(found, **changes)


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(DirectoryOutage) as failed:
        act()
    return failed.value.code


def test_nobody_at_the_port_is_unreachable(server: slapd.Server, tmp_path: Path) -> None:
    away = LdapDirectory(settings(server, url=f"ldap://127.0.0.1:{slapd.free_port()}"))
    place = a_place(server.tree())
    assert code_of(lambda: away.publish_list(place, listed(tmp_path, 1))) == "directory-unreachable"
    assert code_of(lambda: away.number(place, Attribute.LIST)) == "directory-unreachable"


def test_one_who_never_answers_is_slow_and_holds_nobody_longer_than_the_time_out(
    server: slapd.Server, tmp_path: Path
) -> None:
    directory = LdapDirectory(settings(server, timeout_s=0.3))
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    try:
        place = a_place(server.tree())
        assert code_of(lambda: directory.publish_list(place, listed(tmp_path, 1))) == "directory-slow"
    finally:
        server.process.send_signal(signal.SIGCONT)


def test_a_refused_bind_has_its_own_code(server: slapd.Server, tmp_path: Path) -> None:
    wrong = LdapDirectory(settings(server, password=Secret("wrong")))
    place = a_place(server.tree())
    assert code_of(lambda: wrong.publish_list(place, listed(tmp_path, 1))) == "directory-bind-refused"


def test_who_may_not_write_is_refused_with_the_servers_word(server: slapd.Server, tmp_path: Path) -> None:
    anonymous = LdapDirectory(settings(server, bind="", password=None))
    place = a_place(server.tree())
    with pytest.raises(DirectoryOutage) as refused:
        anonymous.publish_list(place, listed(tmp_path, 1))
    assert (refused.value.code, refused.value.facts) == ("directory-refused", {"found": "strong-auth-required"})


def test_an_entry_outside_the_servers_tree_is_refused(server: slapd.Server, tmp_path: Path) -> None:
    place = Place("dp1p1", (("o", "Elsewhere"), ("ou", "dp1p1")))
    directory = LdapDirectory(settings(server))
    with pytest.raises(DirectoryOutage) as refused:
        directory.publish_list(place, listed(tmp_path, 1))
    assert refused.value.code == "directory-refused"


class Cut:
    """A relay in front of a server that ends the connection at a client's request after `requests`, or says nothing."""

    def __init__(self, server: slapd.Server, requests: int, *, silent: bool = False) -> None:
        self._server, self._requests, self._silent = server, requests, silent
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ldap://127.0.0.1:{self._listener.getsockname()[1]}"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        with client, socket.create_connection(("127.0.0.1", self._server.port)) as there:
            asked = 0
            while asked <= self._requests:
                ready, _, _ = select.select([client, there], [], [])
                if there in ready:
                    client.sendall(there.recv(1 << 20))
                if client in ready:
                    request, asked = client.recv(1 << 20), asked + 1
                    if asked <= self._requests:
                        there.sendall(request)
            if self._silent:
                self._over.wait(10)

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._listener.close()


@pytest.mark.parametrize(("silent", "code"), [(False, "directory-lost"), (True, "directory-slow")])
@pytest.mark.parametrize("requests", [1, 2])
def test_one_who_dies_or_falls_silent_in_the_middle_leaves_what_stood(
    server: slapd.Server, tmp_path: Path, requests: int, silent: bool, code: str
) -> None:
    """After the bind, and after the list that stands was read."""
    place = a_place(server.tree())
    LdapDirectory(settings(server)).publish_list(place, listed(tmp_path, 7))
    cut = Cut(server, requests, silent=silent)
    try:
        through = LdapDirectory(settings(server, url=cut.url, timeout_s=0.3))
        assert code_of(lambda: through.publish_list(place, listed(tmp_path, 8))) == code
    finally:
        cut.close()
    assert in_ldap(server, place, Attribute.LIST) == [der_list(7)]


def test_a_server_that_was_killed_goes_on_with_what_it_had(tmp_path: Path) -> None:
    with slapd.server() as server:
        directory, place = LdapDirectory(settings(server)), a_place(server.tree())
        directory.publish_list(place, listed(tmp_path, 7))
        server.stop(signal.SIGKILL)
        assert code_of(lambda: directory.publish_list(place, listed(tmp_path, 8))) == "directory-unreachable"
        server.start()
        directory.publish_list(place, listed(tmp_path, 8))
        with pytest.raises(OlderList):
            directory.publish_list(place, listed(tmp_path, 7))
        assert in_ldap(server, place, Attribute.LIST) == [der_list(8)]


def test_a_list_larger_than_the_server_takes_leaves_the_older_one(server: slapd.Server, tmp_path: Path) -> None:
    directory, place = LdapDirectory(settings(server)), a_place(server.tree())
    directory.publish_list(place, listed(tmp_path, 7))
    large = listed(tmp_path, 8, entries=70_000)
    assert large.size > 1 << 20
    assert code_of(lambda: directory.publish_list(place, large)) == "directory-lost"
    assert in_ldap(server, place, Attribute.LIST) == [der_list(7)]


def test_D13_one_who_was_overtaken_after_reading_does_not_write(
    server: slapd.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one writes between our reading and our writing, when the entry is there and when it is not."""
    directory = LdapDirectory(settings(server))
    for there in (True, False):
        place = a_place(server.tree())
        if there:
            directory.publish_list(place, listed(tmp_path, 6))
        read, overtaken = adapter._Act.read, [False]

        def slowly(act: Any, read: Any = read, overtaken: list[bool] = overtaken, place: Place = place) -> Any:
            found = read(act)
            if not overtaken[0]:
                overtaken[0] = True
                directory.publish_list(place, listed(tmp_path, 8))
            return found

        monkeypatch.setattr(adapter._Act, "read", slowly)
        with pytest.raises(OlderList):
            directory.publish_list(place, listed(tmp_path, 7))
        monkeypatch.undo()
        assert in_ldap(server, place, Attribute.LIST) == [der_list(8)]


def test_one_who_is_always_overtaken_gives_up_for_now(
    server: slapd.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, place = LdapDirectory(settings(server)), a_place(server.tree())
    monkeypatch.setattr(adapter._Act, "_write", lambda *_: False)
    assert code_of(lambda: directory.publish_list(place, listed(tmp_path, 1))) == "directory-refused"


def test_an_entry_that_others_made_learns_to_hold_lists(server: slapd.Server, tmp_path: Path) -> None:
    directory, place = LdapDirectory(settings(server)), a_place(server.tree())
    directory.publish_list(place, listed(tmp_path, 1))
    above = Place("above", place.dn[:-1])  # made as a mere parent
    directory.publish_list(above, listed(tmp_path, 2))
    directory.publish_list(above, listed(tmp_path, 2, Attribute.DELTA))
    assert in_ldap(server, above, Attribute.LIST) == [der_list(2)]
    assert {"pkiCA", "deltaCRL", "organizationalUnit"} <= set(classes(server, above))


def classes(server: slapd.Server, place: Place) -> list[str]:
    told = server.search(place.entry, "objectClass").splitlines()
    return [line.partition(": ")[2] for line in told if line.startswith("objectClass")]


def test_H4_everything_that_stands_in_the_directory_is_an_authoritys(server: slapd.Server, tmp_path: Path) -> None:
    directory, place = LdapDirectory(settings(server)), a_place(server.tree())
    directory.publish_list(place, listed(tmp_path, 1))
    directory.publish_certificate(place, AuthorityCertificate(CA))
    told = server.search("c=KR", scope="sub")
    kinds = {line.partition(":")[0] for line in told.splitlines() if line and not line.startswith(" ")}
    public = {f"{one.value};binary" for one in Attribute}
    assert kinds <= {"dn", "objectClass", "c", "o", "ou", "cn"} | public


def test_generations_of_one_name_stand_side_by_side(server: slapd.Server, tmp_path: Path) -> None:
    second = certs.ca("rsa2048-04", 4140).certificate.der
    directory, place = LdapDirectory(settings(server)), a_place(server.tree())
    for one in (CA, second, CA):
        directory.publish_certificate(place, AuthorityCertificate(one))
    assert sorted(in_ldap(server, place, Attribute.CERTIFICATE)) == sorted([CA, second])


def test_a_password_goes_nowhere_in_clear() -> None:
    password = Secret("demo")
    for url in ("ldap://dir.ingam.test:389", "ldap://10.0.0.1", "ldap://localhost.evil.test"):
        with pytest.raises(ClearPassword):
            LdapDirectory(LdapSettings(url, "cn=publisher", password))
    for allowed in (
        LdapSettings("ldaps://dir.ingam.test", "cn=publisher", password),
        LdapSettings("ldap://dir.ingam.test", "cn=publisher", password, start_tls=True),
        LdapSettings("ldap://127.0.0.1:389", "cn=publisher", password),
        LdapSettings("ldap://[::1]:389", "cn=publisher", password),
        LdapSettings("ldap://dir.ingam.test"),
    ):
        LdapDirectory(allowed).close()
    assert "demo" not in repr(LdapSettings("ldaps://dir.ingam.test", "cn=publisher", password))


def server_certificate(folder: Path) -> None:
    """A certificate of its own for 127.0.0.1, and its key."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    host = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(host, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )  # fmt: skip
    (folder / "tls.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "tls.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@pytest.mark.parametrize("start_tls", [True, False])
def test_over_tls_the_server_is_proven_first(tmp_path: Path, start_tls: bool) -> None:
    with slapd.server(tls=server_certificate) as server:
        url = server.url if start_tls else server.tls_url
        trusted = settings(server, url=url, start_tls=start_tls, trust=server.folder / "tls.pem")
        place = a_place(server.tree())
        LdapDirectory(trusted).publish_list(place, listed(tmp_path, 7))
        assert in_ldap(server, place, Attribute.LIST) == [der_list(7)]
        stranger = LdapDirectory(replace(trusted, trust=None))
        assert code_of(lambda: stranger.publish_list(place, listed(tmp_path, 8))) == "directory-unreachable"
