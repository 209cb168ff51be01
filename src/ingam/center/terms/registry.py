"""Which consent documents there are, and which version of each is in force (flows.md "Consent documents").

`documents/T1/2026-11-01.ko.md` is a document, the day from which it is in force in Korea, and its language. A later
version takes the place of an earlier one on its day. An institution's folder of the same layout takes the place of
ours, document by document; what it does not hold stays the example.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from ingam.kernel.errors import Refusal
from ingam.kernel.instants import KST
from ingam.kernel.words import LANGUAGES

SHIPPED: Final = Path(__file__).parent / "documents"
CATALOGUE: Final = "terms.toml"
BYTES_MOST: Final = 256 * 1024
_FILE: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.(ko|en)\.md")
_EXAMPLE: Final = re.compile(r"> \*\*(?:예시|EXAMPLE)\*\*")


class TermsRefused(Refusal):
    """The documents cannot be used and the process does not start; facts `document` and `cause` (kebab-case)."""

    code = "terms-refused"


@dataclass(frozen=True, slots=True)
class Entry:
    """A document of the catalogue, whatever its version. `kind`: consent, or notice where the law needs no consent."""

    code: str
    titles: Mapping[str, str]
    owners: Mapping[str, str]
    required: bool
    kind: str


@dataclass(frozen=True, slots=True)
class Document:
    """One version of one document. `version` is the day it takes effect, `2026-11-01`."""

    entry: Entry
    version: str
    effective: date
    example: bool
    texts: Mapping[str, bytes] = field(repr=False)
    digests: Mapping[str, str] = field(repr=False)

    @property
    def code(self) -> str:
        """`T1` to `T9`."""
        return self.entry.code

    @property
    def required(self) -> bool:
        """Whether nothing goes on without it."""
        return self.entry.required

    @property
    def kind(self) -> str:
        """`consent` or `notice`."""
        return self.entry.kind

    @property
    def href(self) -> str:
        """The page of the version in force."""
        return f"/terms/{self.code}"

    @property
    def version_href(self) -> str:
        """The page of this version."""
        return f"{self.href}/{self.version}"

    def title(self, lang: str) -> str:
        """As flows.md has it, or its English."""
        return self.entry.titles[lang]

    def owner(self, lang: str) -> str:
        """Whose document it is."""
        return self.entry.owners[lang]

    def sha256(self, lang: str) -> str:
        """Of the exact bytes that a reader of this language is shown; 64 lower hex."""
        return self.digests.get(lang) or self.digests["ko"]

    def text(self, lang: str) -> str:
        """The document; in Korean where there is no translation."""
        return (self.texts.get(lang) or self.texts["ko"]).decode()

    def tick(self, lang: str) -> str:
        """The value of its checkbox: what a consent is given to."""
        return f"{self.version}:{self.sha256(lang)}"


class Approval(Protocol):
    """Two operators' word on a version (security G2)."""

    def approves(self, code: str, version: str, sha256: str) -> bool:
        """Whether this version with this text (SHA-256 of the Korean) may take effect on its day."""


class Registry:
    """Every version of every document, read once at the start."""

    def __init__(self, versions: Mapping[str, tuple[Document, ...]], approval: Approval | None = None) -> None:
        self._versions = versions
        self._approval = approval

    def under(self, approval: Approval) -> Registry:
        """The same documents, whose later versions wait for two operators (security G2)."""
        return Registry(self._versions, approval)

    @classmethod
    def read(cls, folder: Path | None = None, *, production: bool = False) -> Registry:
        """Ours, under those of an institution's `folder`. Raises TermsRefused, in production for an example as well."""
        catalogue = _catalogue(SHIPPED)
        versions = {code: _versions(SHIPPED / code, entry) for code, entry in catalogue.items()}
        if folder is not None:
            versions |= _replaced(folder, catalogue)
        for code, found in versions.items():
            if production and any(one.example for one in found):
                raise TermsRefused(document=code, cause="example")
        return cls(versions)

    @property
    def codes(self) -> tuple[str, ...]:
        """T1 to T9."""
        return tuple(self._versions)

    def current(self, code: str, at: datetime) -> Document:
        """The version in force at an instant; before the first one's day, the first one. KeyError for no document."""
        today, found = at.astimezone(KST).date(), self._versions[code]
        return next((one for one in reversed(found[1:]) if one.effective <= today and self._approved(one)), found[0])

    def _approved(self, later: Document) -> bool:
        return self._approval is None or self._approval.approves(later.code, later.version, later.sha256("ko"))

    @property
    def later(self) -> tuple[Document, ...]:
        """Every version but the first of each document: what takes effect by approval."""
        return tuple(one for found in self._versions.values() for one in found[1:])

    def documents(self, codes: Iterable[str], at: datetime) -> tuple[Document, ...]:
        """The versions in force, in the order of `codes`."""
        return tuple(self.current(code, at) for code in codes)

    def find(self, code: str, version: str) -> Document | None:
        """A version, in force or not."""
        return next((one for one in self._versions.get(code, ()) if one.version == version), None)

    def accepts(self, code: str, version: str, sha256: str, at: datetime) -> bool:
        """Whether a consent to this text is a consent to what is in force."""
        now = self.current(code, at)
        return version == now.version and sha256 in now.digests.values()


def _replaced(folder: Path, catalogue: Mapping[str, Entry]) -> dict[str, tuple[Document, ...]]:
    """The documents that an institution's folder holds; one that is not of the catalogue is a mistake."""
    if not folder.is_dir():
        raise TermsRefused(document="-", cause="folder-missing")
    entries = {**catalogue, **_catalogue(folder, catalogue)}
    held = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if unknown := [name for name in held if name not in catalogue]:
        raise TermsRefused(document=unknown[0], cause="unknown-document")
    return {code: _versions(folder / code, entries[code]) for code in held}


def _catalogue(folder: Path, known: Mapping[str, Entry] | None = None) -> dict[str, Entry]:
    """`terms.toml`; an institution's may leave out documents, and words of a document, that stay as they are."""
    path = folder / CATALOGUE
    if known is not None and not path.exists():
        return {}
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        return {code: _entry(code, facts, known) for code, facts in told.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise TermsRefused(document="-", cause="catalogue") from None


def _entry(code: str, facts: dict[str, Any], known: Mapping[str, Entry] | None) -> Entry:
    if known is not None:
        old = known[code]
        titles = {f"title_{lang}": old.titles[lang] for lang in LANGUAGES}
        owners = {f"owner_{lang}": old.owners[lang] for lang in LANGUAGES}
        facts = {**titles, **owners, "required": old.required, "kind": old.kind, **facts}
    if facts["kind"] not in ("consent", "notice") or not isinstance(facts["required"], bool):
        raise ValueError
    words = {f"{word}_{lang}": str(facts[f"{word}_{lang}"]) for word in ("title", "owner") for lang in LANGUAGES}
    return Entry(
        code,
        {lang: words[f"title_{lang}"] for lang in LANGUAGES},
        {lang: words[f"owner_{lang}"] for lang in LANGUAGES},
        facts["required"],
        facts["kind"],
    )


def _versions(folder: Path, entry: Entry) -> tuple[Document, ...]:
    """All versions of a document, the earliest first."""
    texts: dict[str, dict[str, bytes]] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        named = _FILE.fullmatch(path.name)
        if named is None:
            raise TermsRefused(document=entry.code, cause="file-name")
        texts.setdefault(named[1], {})[named[2]] = _bytes(path, entry.code)
    if not texts:
        raise TermsRefused(document=entry.code, cause="no-version")
    return tuple(_document(entry, version, texts[version]) for version in sorted(texts))


def _bytes(path: Path, code: str) -> bytes:
    """The exact bytes: UTF-8, with something in them."""
    raw = path.read_bytes()
    try:
        empty = not raw.decode().strip()
    except UnicodeDecodeError:
        raise TermsRefused(document=code, cause="not-utf8") from None
    if empty or len(raw) > BYTES_MOST:
        raise TermsRefused(document=code, cause="empty" if empty else "too-large")
    return raw


def _document(entry: Entry, version: str, texts: Mapping[str, bytes]) -> Document:
    if "ko" not in texts:
        raise TermsRefused(document=entry.code, cause="korean-missing")
    try:
        effective = date.fromisoformat(version)
    except ValueError:
        raise TermsRefused(document=entry.code, cause="file-name") from None
    example = any(_EXAMPLE.match(raw.decode()) for raw in texts.values())
    digests = {lang: hashlib.sha256(raw).hexdigest() for lang, raw in texts.items()}
    return Document(entry, version, effective, example, texts, digests)
