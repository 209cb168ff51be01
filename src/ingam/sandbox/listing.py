"""What is told of the demo: `demo.json` for people, `people.json` for the center's import, and the folder `demo`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Final

from ingam.npki import subject
from ingam.npki.certificate import Certificate
from ingam.sandbox import ours
from ingam.sandbox.people import (
    BANKING_PASSWORD,
    CERTIFICATE_PASSWORD,
    PEOPLE,
    Person,
    for_center,
    further_heads,
    person,
)
from ingam.sandbox.samples import SAMPLES, Sample
from ingam.sandbox.world import World

_MARK = ".world"
CERTIFICATE_AS_HEAD: Final = {"kim": "somebody-elses"}
"""Which certificate a further head of a union has for it: their others are for their own account."""


def write(world: World, folder: Path, demo: Path, places: int = 1) -> None:
    """Writes demo.json and people.json into `folder`; `demo` is named in them."""
    _write_json(folder / "people.json", for_center())
    _write_json(folder / "demo.json", listing(world, demo, places))


def listing(world: World, demo: Path, places: int = 1) -> dict[str, object]:
    """Who can log in with what, where each certificate file lies, and what becomes of it.

    `places`: how many heads of one union register (INGAM_UNION_HEADS).
    """
    people = [
        {"key": one.key, "name": one.name, "kind": one.kind, "banking_id": one.banking_id, "idn": one.idn}
        | {"mobile": one.mobile, "password": BANKING_PASSWORD, "carrier": one.carrier, "home_phone": one.home_phone}
        | {"third_phone": one.third_phone}
        | _papers(one)
        for one in PEOPLE
    ]
    return {
        "folder": str(demo / "NPKI"),
        "certificate_password": CERTIFICATE_PASSWORD,
        "people": people,
        "heads": _heads(world, demo, places),
        "certificates": [*(_told(world, one, demo) for one in SAMPLES), *ours.told(world.folder, demo)],
    }


def folder_of(world: World, slug: str) -> Path:
    """Where a demo certificate lies below `demo/`."""
    found = world.newest(slug).parsed
    return Path("NPKI", found.issuer.value("O") or "", "USER", subject.folder_name(found.subject))


def spread(world: World, demo: Path, root: Certificate) -> None:
    """Lays the demo's files out at `demo`, once for each world: files that a person changed there stay as they are.

    `root`: a root of the world, which tells it from others.
    """
    mark, this = demo / _MARK, root.fingerprint.hex()
    if not mark.exists() or mark.read_text() != this:
        if mark.exists():
            shutil.rmtree(demo / "NPKI", ignore_errors=True)
        shutil.copytree(world.folder / "demo", demo, dirs_exist_ok=True)
        mark.write_text(this)
    ours.spread(world.folder, demo)


def _papers(one: Person) -> dict[str, object]:
    """What a person of the demo has in the wallet."""
    card, licence, bank, home = one.resident_card, one.licence, one.bank, one.address
    return {
        "english": one.english,
        "resident_card": card and {"issued_on": card.issued_on.isoformat()},
        "licence": licence
        and {"number": licence.number, "serial": licence.serial, "issued": licence.issued.isoformat()},
        "bank": bank and {"bank_code": bank.bank_code, "account": bank.account},
        "address": home and {"road": home.road, "zip5": home.zip5, "detail": home.detail},
    }


def _heads(world: World, demo: Path, places: int) -> list[dict[str, object]]:
    """Further heads of unions: at whose account, with whose number and telephone, and by which certificate."""
    told: list[dict[str, object]] = []
    for one in further_heads(places):
        slug = CERTIFICATE_AS_HEAD[one.person.key]
        told.append(
            {"key": one.person.key, "name": one.person.name, "slot": one.slot, "union": one.union.union_name}
            | {"banking_id": one.union.banking_id, "idn": one.person.idn, "mobile": one.person.mobile}
            | {"slug": slug, "folder": str(demo / folder_of(world, slug))}
        )
    return told


def _told(world: World, one: Sample, demo: Path) -> dict[str, object]:
    owner, tried_by = person(one.person), person(one.tried_by or one.person)
    found = world.newest(one.slug).parsed
    return {
        "slug": one.slug,
        "person": owner.name,
        "banking_id": tried_by.banking_id,
        "what": {"ko": one.what_ko, "en": one.what_en},
        "folder": str(demo / folder_of(world, one.slug)),
        "pfx": str(demo / f"{one.slug}.pfx") if one.pfx else None,
        "variant": one.variant.value,
        "issuer": found.issuer.value("CN"),
        "policy": found.policy_oid,
        "expected": one.expected,
    }


def _write_json(path: Path, content: object) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    new.replace(path)
