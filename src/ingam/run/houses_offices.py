"""How each of the sandbox's other authorities is opened: a house at work, a root at work, and their publishers."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from ingam.adapters.blind_index.in_memory import InMemoryBlindIndex
from ingam.adapters.directory.folder import FolderDirectory
from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.hsm.key_files import read_or_make
from ingam.ca.ceremony import read_certificates
from ingam.ca.office import Office, Speaker
from ingam.ca.profiles import Authority, preset
from ingam.ca.publishing.lists import RHYTHMS, ROOT_PLAN, Kind, ListIssuer, Plan, root_number
from ingam.ca.publishing.publisher import Publisher
from ingam.ca.publishing.schedule import Rhythm
from ingam.kernel.secret import Secret
from ingam.npki import shapes
from ingam.npki.signature import KeyKind
from ingam.ports.clock import Clock
from ingam.run.houses_places import ROOTS, own
from ingam.settings import Settings
from ingam.wiring.authority import CaPorts, ca_ports, open_books, open_keys
from ingam.wiring.keys_late import KeysLate

PARTITIONS: Final = Plan(
    full=False,
    deltas=(),
    rhythms={**RHYTHMS, Kind.PARTITION: Rhythm(timedelta(hours=12), timedelta(hours=24), timedelta(0))},
)
"""Lists as the field has them; a revocation is on its list at once: who turns a switch does not want to wait."""


def root_authority(key: str) -> Authority:
    """Who a root is: every house's settings name RootCA 4; of RootCA 5 the name, the notice and the key are others."""
    found = preset("signkorea")
    if key == "root4":
        return found
    names = found.root
    common, entry = (text.replace("4", "5", 1) for text in (names.common, names.entry))
    return replace(
        found,
        root=replace(names, common=common, entry=entry, notice=shapes.NOTICE_JOINT),
        keys=replace(found.keys, root=KeyKind.RSA_3072),
    )


def late_keys(settings: Settings, folder: Path) -> KeysLate:
    """The keys of a house or a root."""
    return KeysLate(read_certificates(folder), open_keys(own(settings), folder))


def house_ports(settings: Settings, folder: Path, clock: Clock) -> CaPorts:
    """A house at work; its persons' numbers are indexed in this process, because they are nobody's (security H7)."""
    index = read_or_make(folder / "keys" / "index.key", ("index",))["index"]
    return ca_ports(
        own(settings), folder, keys=late_keys(settings, folder), index=InMemoryBlindIndex(Secret(index), clock),
        clock=clock,
    )  # fmt: skip


def root_ports(settings: Settings, folder: Path, clock: Clock) -> CaPorts:
    """A root at work: it ends and holds the certificates that it issued, and issues nothing."""
    keys, holdings, number = late_keys(settings, folder), read_certificates(folder), ROOTS[folder.name]
    secrets_of = read_or_make(folder / "keys" / "books.keys", ("seal", "index"))
    root, books = holdings.roots[number], open_books(folder)
    office = Office(
        authority=root_authority(folder.name),
        issuers=(),
        roots=(root,),
        speaker=Speaker(root, keys.signer(f"root-{number}")),
        openers=(),
        books=books,
        sealer=OutboxSealer(secrets_of["seal"]),
        index=InMemoryBlindIndex(Secret(secrets_of["index"]), clock),
        clock=clock,
        random=secrets.token_bytes,
        threads=ThreadPoolExecutor(1, thread_name_prefix="sign"),
    )
    return CaPorts(folder, holdings, keys, books, office)


@contextmanager
def publisher(ports: CaPorts) -> Iterator[Publisher]:
    """Of a house's partitions, or of a root's list; it reads the books through a handle of its own, for the block."""
    office, folder, books = ports.office, ports.folder, open_books(ports.folder)
    issuers = [ListIssuer(one.generation.number, one.certificate, one.signer, PARTITIONS) for one in office.issuers]
    if not issuers:
        issuers = [
            ListIssuer(root_number(number), root, ports.keys.signer(f"root-{number}"), ROOT_PLAN)
            for number, root in ports.holdings.roots.items()
        ]
    places = [FolderDirectory(folder / "published")]
    try:
        yield Publisher(office.authority, issuers, books, places, folder / "publishing", office.clock)
    finally:
        books.close()
