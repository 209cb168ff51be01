"""The demo certificates of the demo's own authority, which is none of the sandbox's houses.

    DATA/sandbox/ours/told.json     what `demo.json` says of them, folders told from the demo's
    DATA/sandbox/ours/NPKI/…        their folders

They are issued by that authority (run/demo_registrars); here they are laid out and told.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ingam.npki import certificate, key_file, shapes, subject
from ingam.npki.key_file import Variant
from ingam.sandbox.folders import Folder, Pair, Random, write_folder
from ingam.sandbox.people import CERTIFICATE_PASSWORD, person

TOLD: Final = "told.json"


@dataclass(frozen=True, slots=True)
class Ours:
    """One of them. `person`: whose; `broker`: who registered it, the OU nearest the name; `profile`: its kind."""

    slug: str
    person: str
    broker: str
    profile: str
    variant: Variant
    what_ko: str
    what_en: str


def lay_out(one: Ours, pair: Pair, place: Path, random: Random) -> dict[str, object]:
    """Writes its folder below `place`/NPKI. Returns what is told of it."""
    found, owner = certificate.parse(pair.certificate), person(one.person)
    path = Path(found.subject.value("O") or "", "USER", subject.folder_name(found.subject))
    pkcs8 = shapes.private_key_info(pair.key, pair.r)
    sealed = key_file.seal_key(pkcs8, CERTIFICATE_PASSWORD.encode(), one.variant, random=random)
    write_folder(place, Folder(path, {"signCert.der": pair.certificate, "signPri.key": sealed}, {}))
    return {
        "slug": one.slug, "person": owner.name, "banking_id": owner.banking_id,
        "what": {"ko": one.what_ko, "en": one.what_en}, "folder": str(Path("NPKI", path)), "pfx": None,
        "variant": one.variant.value, "issuer": found.issuer.value("CN"), "policy": found.policy_oid,
        "expected": "registered",
    }  # fmt: skip


def told(world: Path, demo: Path) -> list[dict[str, Any]]:
    """What `demo.json` says of them; none where the authority is not there. `world`: the sandbox's, beside them."""
    try:
        found: list[dict[str, Any]] = json.loads((_place(world) / TOLD).read_text(encoding="utf-8"))
    except OSError:
        return []
    return [{**one, "folder": str(demo / one["folder"])} for one in found]


def spread(world: Path, demo: Path) -> None:
    """Lays their folders out at `demo`; files that are there stay as they are."""
    for one in told(world, Path()):
        if not (demo / one["folder"]).exists():
            shutil.copytree(_place(world) / one["folder"], demo / one["folder"])


def _place(world: Path) -> Path:
    return world.with_name("ours")
