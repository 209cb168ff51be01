"""An authority as an operator finds it: founded by `ingam ca init`, with keys of vectors/keys, copied for a test."""

from __future__ import annotations

import asyncio
import io
import json
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.adapters.hsm.places import CHEAP, source
from tests.ca.world import World, by_code, curve_key, held, only_certificate, request, vid_of
from tests.clocks import SetClock

from ingam.adapters.blind_index.process import at_hand
from ingam.adapters.hsm.key_files import refuse_in_production
from ingam.adapters.hsm.signing_file import FileSigningKeys, PrivateKey
from ingam.ca.endpoint.service import Endpoint
from ingam.ca.issuing.registering import Registered
from ingam.ca.issuing.service import Issuing
from ingam.ca.revoking.service import Revoking
from ingam.kernel.secret import Secret
from ingam.npki import certificate
from ingam.npki.signature import KeyKind
from ingam.ports.books import Certificate
from ingam.protocols.cmp.header import IMPLICIT_CONFIRM_INFO
from ingam.run.cli.ca import main
from ingam.settings import CaSettings, Settings
from ingam.wiring import authority

PASSPHRASE = "canary 도장 phrase"
IDN = "7510051000001"
QUICK = ("root=p-256", "issuing=p-256", "ocsp=p-256", "encryption=rsa-2048", "cmp=p-256")
FIELD = ("root=rsa-2048", "issuing=rsa-2048", "ocsp=rsa-2048", "encryption=rsa-2048", "cmp=p-256")


class Keys:
    """Opens key files cheaply; every RSA key that is made is another one of vectors/keys."""

    def __init__(self) -> None:
        self._source = source()

    def open(self, folder: Path, told: Secret[str], *, production: bool = False, allowed: bool = False) -> object:
        """In place of `open_signing_keys`."""
        refuse_in_production(production, allowed)
        return FileSigningKeys(folder, told, cost=CHEAP, source=self.made)

    def made(self, kind: KeyKind) -> PrivateKey:
        """A new key."""
        return self._source(kind)


@contextmanager
def quick_keys() -> Iterator[pytest.MonkeyPatch]:
    """Commands find quick keys, a passphrase in the environment, and no terminal."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(authority, "open_signing_keys", Keys().open)
        patch.setenv("INGAM_CA_PASSPHRASE", PASSPHRASE)
        for name in ("INGAM_MODE", "INGAM_DATA", "INGAM_CA_NAME"):
            patch.delenv(name, raising=False)
        yield patch


def found(data: Path, *more: str, kinds: tuple[str, ...] = QUICK) -> int:
    """`ingam ca init`."""
    words = [word for kind in kinds for word in ("--key", kind)]
    return main(["init", "--data", str(data), "--participant", "홍길동:operator", *words, *more])


@dataclass
class Place:
    """A data folder with an authority in it, and who types."""

    data: Path
    capsys: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    @property
    def folder(self) -> Path:
        """The authority's."""
        return self.data / "ca" / "ingam"

    def run(self, *words: str, code: int = 0, typed: str = "") -> str:
        """A command's output on both screens, after its exit code was as expected."""
        self.capsys.readouterr()
        self.patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(typed.encode())))
        ended = main([*words, "--data", str(self.data)])
        told = self.capsys.readouterr()
        assert ended == code, told.out + told.err
        return told.out + told.err

    def ask(self, *words: str, code: int = 0, typed: str = "") -> Any:
        """What --json answers."""
        return json.loads(self.run(*words, "--json", code=code, typed=typed))

    def refused(self, *words: str, code: int = 6, typed: str = "") -> dict[str, Any]:
        """The error's code and facts; the same command without --json says it in one line with the code."""
        told = self.ask(*words, code=code, typed=typed)["error"]
        line = self.run(*words, code=code, typed=typed)
        assert line.count("\n") == 1
        assert told["code"] in line
        return {"code": told["code"], **told["facts"]}

    def settings(self) -> Settings:
        """As the authority's processes read them."""
        return Settings(data=self.data, ca=CaSettings(passphrase=Secret(PASSPHRASE)))

    def book(self, serial: str, ca: int = 1) -> Certificate:
        """What the books hold of a serial."""
        books = authority.open_books(self.folder)
        try:
            one = books.certificate(ca, int(serial, 16))
            assert one is not None
            return one
        finally:
            books.close()

    def audit(self, action: str) -> list[str]:
        """The facts of the audit lines of an action."""
        with closing(sqlite3.connect(self.folder / "books.db")) as db:
            return [f"{result} {facts}" for result, facts in db.execute(
                "SELECT result, facts FROM audit WHERE action = ? ORDER BY seq", (action,))]  # fmt: skip

    def issue(self, number: int = 200, *more: str) -> str:
        """A server's certificate by `ingam ca issue`; its serial."""
        path = self.data / f"server-{number}.csr"
        path.write_bytes(csr(curve_key(number)))
        words = ("--profile", "server", "--host", f"h{number}.ingam.test", "--csr", str(path))
        told = self.ask("issue", *words, "--out", str(self.data / f"server-{number}.pem"), *more)
        return str(told["serial"])


@contextmanager
def serving(place: Place) -> Iterator[World]:
    """The authority at work in another process's place: its own handles on the same folder."""
    ports = authority.ca_ports(place.settings())
    office = ports.office
    issuing, revoking = Issuing(office), Revoking(office)
    clock, endpoint = SetClock(office.now()), Endpoint(office, issuing, revoking)
    yield World(office, endpoint, issuing, revoking, clock, ports.books, {}, secrets.token_bytes)


async def enrol(world: World, reference: str, code: str, key: int = 120) -> bytes:
    """A person's certificate by their code, confirmed at once."""
    registered = Registered(reference, Secret(code), world.office.now())
    holder = by_code(world, registered)
    body = request(held("person", key), encrypted=vid_of(world))
    answer = await world.ask(holder.compose(body, infos=(IMPLICIT_CONFIRM_INFO,)))
    return only_certificate(answer)


def person(place: Place, key: int = 120, name: str = "홍길동", idn: str = IDN, profile: str = "securities") -> str:
    """The serial of a person's certificate: registered by the command while the authority works, enrolled there."""
    words = ("--name", name, "--idn", "-", "--profile", profile, "--mobile", "010-8513-0001")

    async def enrolled(world: World) -> bytes:
        try:
            return await enrol(world, told["reference_number"], told["authorization_code"], key)
        finally:
            await world.shut()

    with serving(place) as world:
        assert world.books.registration("nobody's") is None  # its books are open from here on
        told = place.ask("register", *words, typed=f"{idn}\n")
        der = asyncio.run(enrolled(world))
    return f"{certificate.parse(der).serial:x}"


@contextmanager
def index(place: Place) -> Iterator[None]:
    """The blind index of the authority, a process beside it as `run/ca` starts one."""
    beside = at_hand(authority.ca_index_folder(place.folder))
    with asyncio.Runner() as runner:
        runner.run(beside.__aenter__())
        try:
            yield
        finally:
            runner.run(beside.__aexit__(None, None, None))


def csr(key: EllipticCurvePrivateKey, encoding: Encoding = Encoding.PEM) -> bytes:
    """A PKCS #10 of a key; what it says of names is nobody's business."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "whatever")])
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, SHA256()).public_bytes(encoding)


def copied(template: Path, to: Path) -> Path:
    """An authority's data folder for one test."""
    shutil.copytree(template, to)
    return to
