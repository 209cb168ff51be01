"""`ldapsearch` in Debian's slapd finds what the clerk published, at the entries that certificates name (RFC 4523)."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

import pytest
from cryptography import x509
from tests import slapd
from tests.interop.people import People
from tests.interop.running import Running, fetch, until

from ingam.npki.certificate import Certificate

pytestmark = pytest.mark.xdist_group("interop")


def found(directory: slapd.Server, entry: str, attribute: str) -> list[bytes]:
    """The values of an attribute of an entry."""
    text = directory.search(entry, attribute)
    assert text.lower().startswith("dn: "), text
    return [base64.b64decode(one) for one in re.findall(rf"^{attribute}:: (\S+)$", text, re.M | re.I)]


def points(one: Certificate) -> Iterator[str]:
    """The addresses of a certificate's list, as another library reads them."""
    given = x509.load_der_x509_certificate(one.der).extensions
    for point in given.get_extension_for_class(x509.CRLDistributionPoints).value:
        yield from (name.value for name in point.full_name or ())


def entry_of(one: Certificate, directory: slapd.Server) -> tuple[str, str]:
    """The entry in the directory that a certificate names, and where the same list lies over HTTP."""
    ldap, http = points(one)
    assert ldap.startswith(f"{directory.url}/")
    return unquote(urlsplit(ldap).path[1:]), http


def test_the_list_of_a_partition_stands_where_its_certificates_say(
    authority: Running, directory: slapd.Server, people: People
) -> None:
    entry, http = entry_of(people.revoked.certificate, directory)
    assert entry.startswith("ou=dp1p1,")
    # Both places are brought the same list, one after the other.
    until(lambda: found(directory, entry, "certificateRevocationList;binary") == [fetch(http)], "both have the list")
    (der,) = found(directory, entry, "certificateRevocationList;binary")
    listed = {one.serial_number for one in x509.load_der_x509_crl(der)}
    assert {people.revoked.certificate.serial, people.held.certificate.serial} <= listed
    assert people.good.certificate.serial not in listed


def test_certificates_of_authorities_stand_at_their_own_entries(authority: Running, directory: slapd.Server) -> None:
    holdings = authority.holdings
    root_entry, http = entry_of(holdings.issuing[1], directory)
    for entry, one in (
        (str(holdings.issuing[1].subject), holdings.issuing[1]),
        (root_entry, holdings.roots[1]),
    ):
        until(lambda entry=entry: found(directory, entry, "cACertificate;binary") != [], "it is there")  # type: ignore[misc]
        assert found(directory, entry, "cACertificate;binary") == [one.der]
    assert found(directory, root_entry, "authorityRevocationList;binary") == [fetch(http)]


def test_lists_of_everything_stand_at_the_entry_of_the_authority(
    authority: Running, directory: slapd.Server, people: People
) -> None:
    entry = str(authority.holdings.issuing[1].subject)
    for attribute, name in (("certificateRevocationList", "issuing-1"), ("deltaRevocationList", "issuing-1-delta")):
        want = f"{authority.va}/ingam/{name}.crl"
        until(lambda a=attribute, w=want: found(directory, entry, f"{a};binary") == [fetch(w)], name)  # type: ignore[misc]


def test_H4_of_persons_there_is_nothing(authority: Running, directory: slapd.Server, people: People) -> None:
    text = directory.search("c=KR", scope="sub")
    assert "userCertificate" not in text and "person" not in text.lower() and "홍길동" not in text
    assert base64.b64encode("홍길동".encode()).decode() not in text
