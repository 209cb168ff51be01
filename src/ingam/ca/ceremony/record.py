"""The record of a ceremony: what was made, when, before whom, where the keys lie; a printed page and the same in JSON.

It holds public facts only. Fingerprints are printed in groups of four, to be read aloud against another screen.
"""

from __future__ import annotations

import hashlib
import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from ingam.ca.ceremony.plan import Plan
from ingam.ca.profiles import Authority
from ingam.kernel.instants import KST, rfc3339
from ingam.npki.certificate import Certificate
from ingam.npki.signature import KeyKind
from ingam.ports.signing import PublicHalf

_WIDTH: Final = 100
_RULE: Final = "=" * _WIDTH
_TITLES: Final = {
    "founding": "인증기관 키 생성 기록 · Key ceremony: a new authority",
    "root-founding": "최상위 인증기관 키 생성 기록 · Key ceremony: a new root CA",
    "roll-over": "발급 인증기관 세대 교체 기록 · Key ceremony: the next issuing CA",
    "root-roll-over": "최상위 인증기관 세대 교체 기록 · Key ceremony: the next root CA",
    "responder": "OCSP 인증서 갱신 기록 · Renewal of an OCSP responder's certificate",
}


class MadeKey(NamedTuple):
    """A key that was made or used. `place`: as the plan calls it; `reused`: it was there before."""

    public: PublicHalf
    place: str
    reused: bool


class Made(NamedTuple):
    """A certificate that was made. `name`: of its file; `kind`: of its key."""

    name: str
    certificate: Certificate
    kind: KeyKind


@dataclass(frozen=True)
class Record:
    """`kind`: founding, root-founding, roll-over, root-roll-over or responder.

    `log_key`: the text that outsiders check heads with.
    """

    kind: str
    at: datetime
    authority: Authority
    plan: Plan
    keys: Sequence[MadeKey]
    made: Sequence[Made]
    log_key: str | None = None

    @property
    def stem(self) -> str:
        """Of its files: `20261126T072000Z`."""
        return rfc3339(self.at).replace("-", "").replace(":", "")

    def text(self) -> str:
        """The printed page: UTF-8, LF, Korean and English."""
        return "\n".join(self._lines()) + "\n"

    def json(self) -> str:
        """The same facts for programs."""
        one = self.authority
        facts = {
            "ceremony": self.kind,
            "at": rfc3339(self.at),
            "authority": {"key": one.key, "name_ko": one.name_ko, "name_en": one.name_en},
            "participants": [person._asdict() for person in self.plan.participants],
            "places": self.plan.places._asdict(),
            "keys": [_key_facts(key) for key in self.keys],
            "certificates": [_certificate_facts(made) for made in self.made],
            "log_key": self.log_key,
            "software": dict(self.plan.software),
            "tools": dict(self.plan.tools),
        }  # fmt: skip
        return json.dumps(facts, ensure_ascii=False, indent=2) + "\n"

    def _lines(self) -> Iterator[str]:
        yield from (_RULE, _TITLES[self.kind], _RULE)
        yield f"인증기관 Authority   {self.authority.name_ko} · {self.authority.name_en} ({self.authority.key})"
        korean = self.at.astimezone(KST).strftime("%Y-%m-%d %H:%M:%S KST")
        yield f"일시 Held            {korean} = {rfc3339(self.at)}"
        for one in self.plan.participants:
            yield f"참석 Present         {one.name} ({one.role})"
        for name, version in self.plan.software.items():
            yield f"소프트웨어 Software  {name} {version}"
        for key in self.keys:
            yield from _key_lines(key)
        listed = {key.public.spki for key in self.keys}
        for made in self.made:
            yield from _certificate_lines(made)
            if made.certificate.spki not in listed:
                yield from _digests("SPKI ", made.certificate.spki)
        if self.log_key is not None:
            yield from ("", "투명성 로그 키 · Key of the transparency log", *textwrap.wrap(self.log_key, _WIDTH))
        for command, output in self.plan.tools.items():
            yield from ("", f"$ {command}", *output.splitlines())
        yield from ("", _RULE)
        for one in self.plan.participants:
            yield from (f"{one.name} ({one.role})", "", "서명 Signature ____________________________", "")


def _key_lines(key: MadeKey) -> Iterator[str]:
    again = " · 이전 의식에서 남은 키 left over from an earlier ceremony" if key.reused else ""
    yield from ("", f"키 Key {key.public.name}")
    yield f"  종류 Kind      {key.public.kind.value}{again}"
    yield f"  보관 Place     {key.place}"
    yield from _digests("SPKI ", key.public.spki)


def _certificate_lines(made: Made) -> Iterator[str]:
    one = made.certificate
    yield from ("", f"인증서 Certificate {made.name}")
    yield f"  주체 Subject   {one.subject}"
    yield f"  발급 Issuer    {one.issuer}"
    yield f"  번호 Serial    {one.serial:x}"
    yield f"  유효 Valid     {rfc3339(one.not_before)} … {rfc3339(one.not_after)}"
    yield f"  키   Key       {made.kind.value}"
    yield from _digests("", one.der)


def _digests(of: str, octets: bytes) -> Iterator[str]:
    for name, digest in (("SHA-256", _sha256(octets)), ("SHA-1", _sha1(octets))):
        yield f"  {of}{name}"
        yield from textwrap.wrap(
            " ".join(textwrap.wrap(digest, 4)), 84, initial_indent="    ", subsequent_indent="    "
        )


def _key_facts(key: MadeKey) -> dict[str, Any]:
    public = key.public
    return {"name": public.name, "kind": public.kind.value, "place": key.place, "reused": key.reused,
            "spki_sha256": _sha256(public.spki), "spki_sha1": _sha1(public.spki)}  # fmt: skip


def _certificate_facts(made: Made) -> dict[str, Any]:
    one = made.certificate
    return {
        "name": made.name,
        "kind": made.kind.value,
        "subject": str(one.subject),
        "issuer": str(one.issuer),
        "serial": f"{one.serial:x}",
        "not_before": rfc3339(one.not_before),
        "not_after": rfc3339(one.not_after),
        "sha256": _sha256(one.der),
        "sha1": _sha1(one.der),
        "spki_sha256": _sha256(one.spki),
        "spki_sha1": _sha1(one.spki),
    }


def _sha256(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()


def _sha1(octets: bytes) -> str:
    """What older programs show; it decides nothing."""
    return hashlib.sha1(octets, usedforsecurity=False).hexdigest()
