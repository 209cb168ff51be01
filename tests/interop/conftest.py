"""One authority at work for all tests of a worker, with a directory; its processes end with the session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import slapd
from tests.interop.openssl import OpenSsl
from tests.interop.people import People, enrol
from tests.interop.running import Running, listed, until

from ingam.adapters.clock.system import SystemClock


@pytest.fixture(scope="session")
def directory() -> Iterator[slapd.Server]:
    """Debian's slapd."""
    with slapd.server() as server:
        yield server


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory, directory: slapd.Server) -> Iterator[Running]:
    """CMP and status service, two processes each, and the clerk, who publishes to the directory too."""
    made = Running(
        tmp_path_factory.mktemp("authority"), directory=directory.url, INGAM_CA_WORKERS="2", INGAM_CA_VA_WORKERS="2",
        INGAM_CA_DIRECTORY_USER=slapd.MANAGER, INGAM_CA_DIRECTORY_PASSWORD=slapd.PASSWORD,
    )  # fmt: skip
    made.found()
    with made.processes("ca", "va", "clerk"):
        yield made


@pytest.fixture(scope="session")
def people(authority: Running) -> People:
    """Somebody whose certificate is good, one revoked, one held; the lists of HTTP say so."""
    found = People(*(enrol(authority) for _ in range(3)))
    authority.cli("revoke", "--serial", f"{found.revoked.certificate.serial:x}", "--reason", "key-compromise")
    authority.cli("suspend", "--serial", f"{found.held.certificate.serial:x}")
    wanted = {found.revoked.certificate.serial, found.held.certificate.serial}
    until(lambda: wanted <= set(listed(authority, "dp1p1")), "the clerk has listed them")
    authority.publish()
    return found


@pytest.fixture
def openssl(tmp_path: Path, authority: Running) -> OpenSsl:
    """A folder for `openssl` with what a client has of the authority: root.pem, ca.pem, cmp.pem."""
    return trusting(tmp_path, authority)


def trusting(folder: Path, authority: Running) -> OpenSsl:
    """Such a folder."""
    made, holdings = OpenSsl(folder), authority.holdings
    made.pem("root", holdings.roots[1])
    made.pem("ca", holdings.issuing[1])
    made.pem("cmp", holdings.service("cmp", 1, SystemClock().now()).certificate)
    return made
