"""The first start of the sandbox: roots, houses, registrars, demo certificates, in a folder that appears whole.

Every house is founded by the ceremony of our own authority, some years before now, below roots that several of them
share; its demo certificates come by CMP from its own services, at the instants at which they were issued. What no
house would issue is made by the sandbox, and its house finds it in its books all the same.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from ingam.ca.ceremony import read_certificates
from ingam.ca.issuing.template import new_serial
from ingam.npki import certificate, shapes
from ingam.npki.certificate import Certificate
from ingam.ports.signing import Intent, KeyKind
from ingam.run.founding_houses import Foundry, Moment, Pool, Random
from ingam.run.founding_issues import Branch
from ingam.run.houses_offices import house_ports, late_keys, publisher, root_ports
from ingam.run.houses_places import REGISTRAR_KEY, ROOTS, house_folder, registrar_folder
from ingam.sandbox import folders
from ingam.sandbox.authorities import mistaken, stranger
from ingam.sandbox.authorities.houses import HOUSES, LICENSED, STRANGER, House
from ingam.sandbox.authorities.keys import KeySource, Progress, gather
from ingam.sandbox.behind import Signing
from ingam.sandbox.folders import Pair
from ingam.sandbox.people import person
from ingam.sandbox.samples import SAMPLES, Sample
from ingam.sandbox.world import World
from ingam.settings import Settings
from ingam.wiring.authority import CaPorts

DAY: Final = timedelta(days=1)
SERVICES: Final = {1: (2048, 2048, 2048), 2: (3072, 3072, 2048)}
"""RSA keys of a generation: issuing CA, responder, encryption."""


def found(
    folder: Path, settings: Settings, source: KeySource, *, now: datetime, random: Random, told: Progress
) -> None:
    """Makes the world of the other authorities in `folder`; does nothing where it stands already.

    Everything is made beside it and renamed at the end: a start that was stopped half-way leaves nothing behind.
    A world of an earlier form is moved aside. `random(n)` gives n bytes of a CSPRNG.
    """
    if (folder / "ca").exists():
        return
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True, mode=0o700)
    _Founding(new, settings, _pools(source, told), now, random).all()
    if folder.exists():
        folder.rename(folder.with_name(f"{folder.name}-{now:%Y%m%dT%H%M%S}"))
    new.replace(folder)


class _Founding:
    """One of it for one folder. `pools`: keys that were made ahead, for the stranger, each root and each house."""

    def __init__(self, new: Path, settings: Settings, pools: Mapping[str, Pool], now: datetime, random: Random) -> None:
        self._new, self._settings, self._pools, self._now, self._random = new, settings, pools, now, random
        self._world = World(new)

    def all(self) -> None:
        """The stranger and the roots, then every house beside the others: most of the time is the disk's."""
        self._stranger()
        for root in ROOTS:
            self._foundry(root).root(root)
        with ThreadPoolExecutor(len(HOUSES)) as at_once:  # also because this thread may have a loop already
            list(at_once.map(lambda house: asyncio.run(self._house(house)), HOUSES))
            at_once.submit(lambda: asyncio.run(self._below_roots())).result()

    def _foundry(self, key: str) -> Foundry:
        return Foundry(self._new, self._settings, self._pools[key], self._now, self._random)

    def _stranger(self) -> None:
        pool = self._pools[STRANGER.key]
        root, ca, ocsp = (pool.take(bits) for bits in stranger.BITS)
        stranger.found(self._new / "stranger", (root, ca, ocsp), self._now, serial=new_serial(self._random, 4))
        for one in SAMPLES:
            if one.ca is STRANGER:
                self._mistake(one, self._world.stranger("ca"), pool)

    async def _house(self, house: House) -> None:
        """Its generations one after the other, and what each of them issued."""
        foundry, pool = self._foundry(house.key), self._pools[house.key]
        foundry.house(house)
        last = _generations(house)[-1]
        for generation in _generations(house):
            if generation > 1:
                foundry.second_generation(house)
            moment = Moment(self._now)
            branch = Branch(self._ports(house, moment), moment, self._random)
            await branch.enter_services()
            for one in _in_order(house, generation):
                await self._issue(branch, moment, one, pool)
            moment.at = self._now
            if generation == 1:
                await branch.enter(dict(self._mistakes(house, pool)))
            if generation == last:
                await self._registrar(branch, house, foundry)
                await asyncio.to_thread(branch.publish)
            await branch.shut()

    def _ports(self, house: House, moment: Moment) -> CaPorts:
        return house_ports(self._settings, house_folder(self._new, house.key), moment)

    async def _issue(self, branch: Branch, moment: Moment, one: Sample, pool: Pool) -> None:
        moment.at = self._now - one.age * DAY
        signing, encryption = await folders.enrol(branch.window, one, pool.take, self._random)
        if one.act in ("revoke", "suspend"):
            await branch.act(signing.certificate, one.act, self._now - one.acted * DAY)
        self._keep(one, signing, encryption)

    def _mistakes(self, house: House, pool: Pool) -> Iterator[tuple[str, Certificate]]:
        """What its first generation signed and did not issue, by names for its books."""
        wrong = [one for one in SAMPLES if one.ca.house is house and one.listed and not one.by_house]
        folder = house_folder(self._new, house.key)
        keys = late_keys(self._settings, folder)
        signer, own = keys.signer("issuing-1"), read_certificates(folder).issuing[1]
        by = Signing(own, signer.public.algorithm, lambda part: signer.sign(Intent.of(part)))
        for number, one in enumerate(wrong, 1):
            yield f"mistaken-{number}", self._mistake(one, by, pool)
        keys.close()

    def _mistake(self, one: Sample, by: Signing, pool: Pool) -> Certificate:
        certified, r = pool.take(one.bits), self._random(20)
        issued = mistaken.securities(
            by, person(one.person), one.number, shapes.public_key(certified), r if one.has_vid else None,
            serial=new_serial(self._random, 4), begins=self._now - one.age * DAY,
        )  # fmt: skip
        self._keep(one, Pair(issued, certified if one.matches else pool.take(2048), r), None)
        return certificate.parse(issued)

    def _keep(self, one: Sample, signing: Pair, encryption: Pair | None) -> None:
        self._world.keep(one.slug, signing.certificate)
        folders.write_folder(self._new / "demo", folders.folder(one, signing, encryption, self._random))

    async def _registrar(self, branch: Branch, house: House, foundry: Foundry) -> None:
        folder = registrar_folder(self._new, house.key)
        keys = foundry.keys(folder, folder)
        der = await branch.registrar(keys.make(REGISTRAR_KEY, KeyKind.P_256))
        keys.close()
        (folder / "registrar.der").write_bytes(der)

    async def _below_roots(self) -> None:
        """What the roots issued, in their books, and their first lists."""
        await self._foundry(STRANGER.key).enter_below_roots()
        for root in ROOTS:
            ports = root_ports(self._settings, house_folder(self._new, root), Moment(self._now))
            with publisher(ports) as lists:
                lists.step()
            await ports.shut()


def _generations(house: House) -> list[int]:
    return sorted(one.generation for one in LICENSED if one.house is house)


def _in_order(house: House, generation: int) -> list[Sample]:
    """What a generation of a house issued, oldest first."""
    ours = (one for one in SAMPLES if one.by_house and one.ca.house is house and one.ca.generation == generation)
    return sorted(ours, key=lambda one: -one.age)


def _pools(source: KeySource, told: Progress) -> dict[str, Pool]:
    """All RSA keys at once, for who takes them."""
    wanted = {STRANGER.key: [*stranger.BITS, *_sizes(one for one in SAMPLES if one.ca is STRANGER)]}
    wanted |= {"root4": [2048], "root5": [3072]}
    for house in HOUSES:
        services = [bits for generation in _generations(house) for bits in SERVICES[generation]]
        samples = _sizes(one for one in SAMPLES if one.listed and one.ca.house is house)
        wanted[house.key] = [*services, *samples]
    made = iter(gather(source, [bits for sizes in wanted.values() for bits in sizes], told))
    return {owner: Pool([next(made) for _ in sizes], source.make) for owner, sizes in wanted.items()}


def _sizes(samples: Iterable[Sample]) -> Iterator[int]:
    return (bits for one in samples for bits in one.sizes)
