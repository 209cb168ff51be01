"""`ingam ca crl`: the revocation lists that stand and what of them is published; with --now they are made anew.

Looking opens no private key. The list of a root needs the root's key, which may be kept apart (--root-keys).
"""

from __future__ import annotations

import asyncio
import time
from argparse import Namespace
from pathlib import Path
from typing import Any, Final

from ingam.adapters.directory.folder import FolderDirectory
from ingam.ca.publishing.lists import (
    ROOT_PLAN,
    ListId,
    ListIssuer,
    attribute_of,
    lists_of,
    name_of,
    place_of,
    plan_of,
    root_number,
)
from ingam.ca.publishing.publisher import Outcome, Publisher, Step
from ingam.kernel.errors import Outage
from ingam.run.cli import answers, ca_place, ca_telling
from ingam.run.cli.ca_place import desk
from ingam.settings import Settings
from ingam.wiring.authority import CaPorts, authority_folder, ceremony_keys, publisher, root_lists

BUSY_S: Final = 10.0
"""How long the clerk, who may be publishing at this moment, is waited for."""

_ROOT: Final = "따로 보관하는 최상위 키의 비밀번호 · passphrase of the root's key files"
_HEADS: Final = {
    "list": "목록 · list",
    "kind": "종류 · kind",
    "number": "번호 · number",
    "published": "공개된 번호 · published",
    "this_update": "발행 · this update",
    "next_update": "다음 발행 기한 · next update",
    "state": "상태 · state",
}
_DONE: Final = {"list": "목록 · list", "place": "곳 · place", "number": "번호 · number", "code": "오류 · failure"}
_NONE: Final = "폐지목록이 없습니다 · no lists"


class PublisherBusy(Outage):
    """Another publisher was at work all the while; nothing was made here."""

    code = "ca-publisher-busy"


class ListsUnpublished(Outage):
    """Some lists were not made, or did not reach a place (facts: count, first); what stood there stands."""

    code = "ca-lists-unpublished"


def crl(options: Namespace) -> int:
    """By what the options ask."""
    settings = ca_place.settings_of(options)
    return asyncio.run(_now(ca_place.unlocked(settings), options) if options.now else _look(settings, options))


async def _look(settings: Settings, options: Namespace) -> int:
    async with desk(settings) as ports:
        rows = standing(ports)
    if options.json:
        answers.tell_json({"lists": rows})
    else:
        ca_telling.tell_list(rows, _HEADS, _NONE)
    return ca_telling.DONE


def standing(ports: CaPorts) -> list[dict[str, Any]]:
    """Every list that there is to be: what the books say of it, and the number that HTTP serves."""
    folder = FolderDirectory(ports.folder / "published")
    return [_row(ports, issuer, one, folder) for issuer, one in _lists(ports)]


def _lists(ports: CaPorts) -> list[tuple[ListIssuer, ListId]]:
    office = ports.office
    plan = plan_of(office.authority)
    issuers = [ListIssuer(one.generation.number, one.certificate, None, plan) for one in office.issuers]
    issuers += [
        ListIssuer(root_number(number), one, None, ROOT_PLAN) for number, one in sorted(ports.holdings.roots.items())
    ]
    return [
        (issuer, one)
        for issuer in issuers
        for one in lists_of(office.authority, issuer, ports.books.count_of(issuer.ca))
    ]


def _row(ports: CaPorts, issuer: ListIssuer, one: ListId, folder: FolderDirectory) -> dict[str, Any]:
    authority, record = ports.office.authority, ports.books.newest_list(one.ca, one.partition, one.kind.value)
    shown = folder.number(place_of(authority, one, issuer.certificate), attribute_of(one))
    if record is None:
        state = "never"
    elif record.next_update < ports.office.now():
        state = "overdue"
    else:
        state = "current" if shown is not None and shown >= record.number else "behind"
    return {
        "list": name_of(authority, one, issuer.certificate),
        "kind": one.kind.value,
        "number": None if record is None else record.number,
        "published": shown,
        "this_update": None if record is None else ca_telling.instant(record.this_update),
        "next_update": None if record is None else ca_telling.instant(record.next_update),
        "state": state,
    }


async def _now(settings: Settings, options: Namespace) -> int:
    folder, file = authority_folder(settings), options.root_passphrase_file
    told = None if file is None else ca_place.passphrase_of(file, _ROOT)
    async with desk(settings, keys=True) as ports:
        apart: Path | None = options.root_keys
        roots = ports.keys if apart is None else ceremony_keys(settings, folder, folder, apart, told).root
        issuers = root_lists(ports.holdings, roots)
        away = {one.ca for one in issuers if one.signer is None}
        step = await asyncio.to_thread(published, publisher(settings, ports, issuers), away)
        if roots is not ports.keys:
            roots.close()
    _tell(step, options)
    wrong = [f"{one.what}: {one.code}" for one in step.outcomes if one.code is not None]
    if wrong:
        raise ListsUnpublished(count=len(wrong), first=wrong[0])
    return ca_telling.DONE


def published(by: Publisher, away: set[int], seconds: float = BUSY_S) -> Step:
    """What came of it, without the lists of issuers whose keys are away. Raises PublisherBusy."""
    until = time.monotonic() + seconds
    while (step := by.publish_now(lambda one: one.ca not in away)).busy:
        if time.monotonic() >= until:
            raise PublisherBusy
        time.sleep(0.1)
    return step


def _tell(step: Step, options: Namespace) -> None:
    rows = [_outcome(one) for one in step.outcomes]
    if options.json:
        if all(one.code is None for one in step.outcomes):
            answers.tell_json({"published": rows})
    else:
        ca_telling.tell_list(rows, _DONE, _NONE)


def _outcome(one: Outcome) -> dict[str, Any]:
    return {"list": one.what, "place": one.place, "number": one.number, "code": one.code}
