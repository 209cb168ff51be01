"""What the authority's processes and commands are given: keys, books, the office, the publisher, the log."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from ingam.adapters.blind_index.process import ProcessBlindIndex
from ingam.adapters.books.reading import BooksReader
from ingam.adapters.books.sqlite import SqliteBooks, check, make
from ingam.adapters.clock.system import SystemClock
from ingam.adapters.directory.folder import FolderDirectory
from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.hsm.key_files import read_or_make
from ingam.adapters.hsm.signing_file import open_signing_keys
from ingam.ca.ceremony import Holdings, HoldingsMissing, Keys, read_certificates
from ingam.ca.log.heads import Log
from ingam.ca.log.published import PublishedLog
from ingam.ca.office import Issuer, Office, Opener, Speaker
from ingam.ca.profiles import Authority, Generation, load
from ingam.ca.publishing.lists import ROOT_PLAN, ListIssuer, plan_of, root_number
from ingam.ca.publishing.publisher import Publisher
from ingam.ca.status.responders import Generation as StatusGeneration
from ingam.ca.status.responders import Generations, ResponderRefused, responder
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.npki.certificate import Certificate
from ingam.ports.clock import Clock
from ingam.ports.directory import Directory
from ingam.ports.keys import BlindIndex
from ingam.ports.signing import SigningKeys
from ingam.protocols.log import keys as log_keys
from ingam.settings import CaSettings, Settings
from ingam.wiring.keys_away import KeysAway

SIGNING_THREADS: Final = 2
"""Signatures of one process at a time: OpenSSL leaves the interpreter alone meanwhile."""

POOL_BYTES: Final = 8192


class NoAuthority(Refusal):
    """There is no authority in the folder yet: `ingam ca init` makes one (facts: name)."""

    code = "ca-missing"


class PassphraseMissing(Refusal):
    """Nobody said the passphrase of the key files (INGAM_CA_PASSPHRASE)."""

    code = "ca-passphrase-missing"


def authority_folder(settings: Settings) -> Path:
    """Where the authority of these settings lies."""
    return settings.data / "ca" / settings.ca.name


class RandomPool:
    """`random(n)` from the system's CSPRNG, fetched 8 KiB at a time: a call to the system costs more than a hash.

    A forked process would hand out its parent's bytes again, so a pool belongs to the process that filled it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool, self._at, self._owner = b"", 0, 0

    def __call__(self, size: int) -> bytes:
        with self._lock:
            if self._at + size > len(self._pool) or self._owner != os.getpid():
                self._pool, self._at, self._owner = secrets.token_bytes(max(POOL_BYTES, size)), 0, os.getpid()
            found = self._pool[self._at : self._at + size]
            self._at += size
            return found


@dataclass(frozen=True)
class CaPorts:
    """Everything that speaks and writes for one authority in one process."""

    folder: Path
    holdings: Holdings
    keys: SigningKeys
    books: SqliteBooks
    office: Office

    async def shut(self) -> None:
        """Close books and keys; what is queued is finished first."""
        await self.books.shut()
        self.office.threads.shutdown(wait=True)
        self.keys.close()


def open_authority(settings: Settings, folder: Path | None = None) -> Authority:
    """Who the authority is. Raises NoAuthority, and the refusals of its files."""
    place = folder or authority_folder(settings)
    if not (place / "authority.toml").exists():
        raise NoAuthority(name=place.name)
    return load(place / "authority.toml")


def open_keys(settings: Settings, folder: Path, place: Path | None = None) -> SigningKeys:
    """The authority's keys; files lie below `place` where it is not yet `folder` (a ceremony's draft).

    Raises KeyFileRefused, PassphraseMissing; opens nothing of a token before its first use.
    """
    ca = settings.ca
    if ca.module:
        from ingam.adapters.hsm.pkcs11 import TokenKeys  # python-pkcs11 is needed where there is a token only

        return TokenKeys(Path(ca.module), ca.token, ca.pin, prefix=f"{folder.name}-")
    return _key_files(settings, (place or folder) / "keys", passphrase(settings, folder))


def ceremony_keys(
    settings: Settings, folder: Path, place: Path, root: Path | None = None, told: Secret[str] | None = None
) -> Keys:
    """The places of keys for a ceremony of `folder`. `root`: a folder of its own for the root's key files; `told`: its
    passphrase, where it is another one.

    Raises as `open_keys`.
    """
    others = open_keys(settings, folder, place)
    if root is None:
        return Keys(others, others)
    return Keys(_key_files(settings, root, told or passphrase(settings, folder)), others)


def _key_files(settings: Settings, place: Path, told: Secret[str]) -> SigningKeys:
    return open_signing_keys(place, told, production=settings.production, allowed=settings.ca.file_keys)


def passphrase(settings: Settings, folder: Path) -> Secret[str]:
    """Of the key files: told by the settings; a demo has one of its own beside them. Raises PassphraseMissing."""
    if settings.ca.passphrase:
        return settings.ca.passphrase
    if settings.production:
        raise PassphraseMissing
    return Secret(read_or_make(demo_passphrase(folder), ("passphrase",))["passphrase"].hex())


def demo_passphrase(folder: Path) -> Path:
    """The file of a demo's own passphrase, beside the authority's folder."""
    return folder.with_name(f"{folder.name}.passphrase")


def open_books(folder: Path) -> SqliteBooks:
    """The books, made where there are none. Raises WrongBooks, BooksOutage."""
    path = folder / "books.db"
    if path.exists():
        check(path)
    else:
        make(path)
    return SqliteBooks(path)


def ca_ports(
    settings: Settings, folder: Path | None = None, *, keys: SigningKeys | None = None,
    index: BlindIndex | None = None, clock: Clock | None = None,
) -> CaPorts:  # fmt: skip
    """The office and what it stands on. `keys`, `index`, `clock`: others than the settings have (run/houses).

    Raises NoAuthority, HoldingsMissing, and the refusals of keys and books.
    """
    place, clock = folder or authority_folder(settings), clock or SystemClock()
    authority, holdings = open_authority(settings, place), read_certificates(place)
    keys = keys or open_keys(settings, place)
    speaker, openers = _speaker(holdings, keys, clock.now()), tuple(_openers(holdings, keys, clock.now()))
    return _ports(place, authority, holdings, keys, speaker, openers, index, clock)


def desk_ports(settings: Settings, folder: Path | None = None) -> CaPorts:
    """As `ca_ports`, without any private key: for what reads and writes the books and signs nothing.

    Raises NoAuthority, HoldingsMissing, and the refusals of books.
    """
    place = folder or authority_folder(settings)
    authority, holdings = open_authority(settings, place), read_certificates(place)
    if not holdings.issuing:
        raise HoldingsMissing(name="issuing-1")
    keys, newest = KeysAway(holdings), max(holdings.issuing)
    speaker = Speaker(holdings.issuing[newest], keys.signer(f"issuing-{newest}"))
    return _ports(place, authority, holdings, keys, speaker, ())


def _ports(
    place: Path, authority: Authority, holdings: Holdings, keys: SigningKeys, speaker: Speaker,
    openers: tuple[Opener, ...], index: BlindIndex | None = None, clock: Clock | None = None,
) -> CaPorts:  # fmt: skip
    books = open_books(place)
    sealing = read_or_make(place / "keys" / "books.keys", ("seal",))
    office = Office(
        authority=authority,
        issuers=tuple(_issuers(holdings, keys)),
        roots=tuple(holdings.roots[number] for number in sorted(holdings.roots)),
        speaker=speaker,
        openers=openers,
        books=books,
        sealer=OutboxSealer(sealing["seal"]),
        index=index or ProcessBlindIndex(ca_index_folder(place) / "socket"),
        clock=clock or SystemClock(),
        random=RandomPool(),
        threads=ThreadPoolExecutor(SIGNING_THREADS, thread_name_prefix="sign"),
        links=tuple(holdings.cross.values()),
    )
    return CaPorts(place, holdings, keys, books, office)


def ca_index_folder(folder: Path) -> Path:
    """Where the blind index of this authority's numbers listens (security H7)."""
    return folder / "index"


def services(holdings: Holdings, generation: int, at: datetime) -> dict[str, Certificate]:
    """The certificates that a generation issued to services of its own, as the books enter them."""
    found = (holdings.service(use, generation, at) for use in ("cmp", "encryption"))
    return {one.name: one.certificate for one in found}


@dataclass(frozen=True)
class StatusPorts:
    """What a responder beside the books is given. `renewed`: other responders than before, if there are any."""

    name: str
    published: Path
    standings: BooksReader
    generations: Generations
    feed_secret: Secret[bytes] | None
    renewed: Callable[[], Generations | None]
    close: Callable[[], None]


def status_ports(
    settings: Settings, folder: Path | None = None, *, keys: SigningKeys | None = None, clock: Clock | None = None
) -> StatusPorts:
    """For `run/va`, in each worker; `keys`, `clock` as for `ca_ports`.

    Raises NoAuthority, HoldingsMissing, ResponderRefused, what keys and books raise.
    """
    place, clock = folder or authority_folder(settings), clock or SystemClock()
    open_authority(settings, place)
    keys, path = keys or open_keys(settings, place), place / "books.db"
    make(path)
    standings, first = BooksReader(path), _responders(place, keys, clock.now())
    seen = [_fingerprints(first)]

    def renewed() -> Generations | None:
        found = _responders(place, keys, clock.now())
        if _fingerprints(found) == seen[0]:
            return None
        seen[0] = _fingerprints(found)
        return Generations(found)

    def close() -> None:
        standings.close()
        keys.close()

    secret = settings.ca.feed_secret.reveal()
    return StatusPorts(
        place.name, place / "published", standings, Generations(first),
        Secret(bytes.fromhex(secret)) if secret else None, renewed, close,
    )  # fmt: skip


def mirrored_responders(settings: Settings) -> tuple[Certificate, ...]:
    """Whose answers a mirror passes on: the responder certificates in its authority's folder."""
    found = read_certificates(authority_folder(settings))
    return tuple(one.certificate for one in found.services if one.name.startswith("ocsp-"))


def _responders(folder: Path, keys: SigningKeys, at: datetime) -> list[StatusGeneration]:
    """Of each generation. One that cannot answer any more hinders the others only where it is the last that could."""
    holdings, made = read_certificates(folder), []
    refused: ResponderRefused | None = None
    for number in sorted(holdings.issuing):
        own, service = holdings.issuing[number], holdings.service("ocsp", number, at)
        root = holdings.roots[holdings.root_of(number)]
        try:
            one = responder(service.certificate, keys.signer(service.name), own, at, root)
        except ResponderRefused as failure:
            structlog.get_logger("va").error(failure.code, generation=number, **failure.facts)
            refused = refused or failure
            continue
        made.append(StatusGeneration(number, own, one))
    if refused is not None and not made:
        raise refused
    return made


def _fingerprints(generations: list[StatusGeneration]) -> list[bytes]:
    return [one.responder.certificate.fingerprint for one in generations]


def publisher(settings: Settings, ports: CaPorts, roots: Sequence[ListIssuer] = ()) -> Publisher:
    """Who makes and publishes revocation lists; it belongs into a process of its own. `roots`: see `root_lists`."""
    places: list[Directory] = [FolderDirectory(ports.folder / "published")]
    if settings.ca.directory:
        places.append(_ldap(settings.ca))
    plan = plan_of(ports.office.authority)
    issuers = [ListIssuer(one.generation.number, one.certificate, one.signer, plan) for one in ports.office.issuers]
    folder = ports.folder / "publishing"
    return Publisher(ports.office.authority, [*issuers, *roots], ports.books, places, folder, ports.office.clock)


def root_lists(holdings: Holdings, keys: SigningKeys) -> list[ListIssuer]:
    """The roots, each with its key where that is at hand; the list of one whose key is away waits for a ceremony."""
    names = keys.names()
    return [
        ListIssuer(
            root_number(number), one, keys.signer(f"root-{number}") if f"root-{number}" in names else None, ROOT_PLAN
        )
        for number, one in sorted(holdings.roots.items())
    ]


def transparency_log(ports: CaPorts) -> Log:
    """The log's heads; blocks, and wants a thread of its own."""
    origin = log_origin(ports.office.authority)
    signer = ports.keys.signer("log-1")
    key = log_keys.log_key(origin, signer.public.spki)
    return Log(ports.books, signer, origin, PublishedLog(ports.folder / "published" / "log", [key]))


def log_origin(authority: Authority) -> str:
    """The name of an authority's log, for ever: `ingam/log`."""
    return f"{authority.key}/log"


def _issuers(holdings: Holdings, keys: SigningKeys) -> list[Issuer]:
    found = []
    for number in sorted(holdings.issuing):
        one, signer = holdings.issuing[number], keys.signer(f"issuing-{number}")
        found.append(Issuer(Generation.of(number, one.der, signer.public.algorithm), one, signer))
    return found


def _speaker(holdings: Holdings, keys: SigningKeys, at: datetime) -> Speaker:
    service = holdings.service("cmp", max(holdings.issuing), at)
    return Speaker(service.certificate, keys.signer(service.name))


def _openers(holdings: Holdings, keys: SigningKeys, at: datetime) -> list[Opener]:
    """Of every generation in force: R for one that ended is opened no more."""
    in_force = [number for number, one in sorted(holdings.issuing.items()) if one.not_after >= at]
    found = (holdings.service("encryption", number, at) for number in in_force)
    return [Opener(one.certificate, keys.decryptor(one.name)) for one in found]


def _ldap(ca: CaSettings) -> Directory:
    from ingam.adapters.directory.ldap import LdapDirectory, LdapSettings  # python-ldap comes with the extra `ldap`

    password = ca.directory_password if ca.directory_password else None
    return LdapDirectory(LdapSettings(url=ca.directory, bind=ca.directory_user, password=password))
