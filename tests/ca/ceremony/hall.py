"""Where ceremonies are held in tests: a folder, an authority with quick keys, key files from vectors/keys."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.adapters.hsm.places import CHEAP, PASSPHRASE, source

from ingam.adapters.hsm.signing_file import FileSigningKeys
from ingam.ca import ceremony
from ingam.ca.ceremony import Ceremony, Holdings, Keys, Participant, Places, Plan, read_certificates
from ingam.ca.profiles import Authority, ServiceKeys, preset, preset_files
from ingam.npki.signature import KeyKind

NOW: Final = datetime(2026, 11, 26, 7, 20, 31, 987_654, UTC)
QUICK: Final = ServiceKeys(
    root=KeyKind.P_256,
    issuing=KeyKind.P_256,
    ocsp=KeyKind.P_256,
    encryption=KeyKind.RSA_2048,
    cmp=KeyKind.P_256,
    log=KeyKind.P_256,
)
PLAN: Final = Plan(
    (Participant("홍길동", "operator"), Participant("김영희", "witness")),
    Places("encrypted files", "encrypted files"),
    {"ingam": "0.1.0"},
    {"openssl version": "OpenSSL of the day"},
    log_origin="log.ingam.test/demo",
)


def quick(key: str = "ingam", **changes: object) -> Authority:
    """A preset whose keys are made at once."""
    return dataclasses.replace(preset(key), **{"keys": QUICK, **changes})  # type: ignore[arg-type]  # by keyword


def counted(start: int = 1) -> Callable[[int], bytes]:
    """Bytes that are new every time and the same in every run."""
    calls = iter(range(start, 1 << 30))
    return lambda size: hashlib.sha256(str(next(calls)).encode()).digest()[:size]


@dataclass
class Hall:
    """`first`: the RSA key of vectors/keys that is made next."""

    folder: Path
    authority: Authority = field(default_factory=quick)
    plan: Plan = PLAN
    random: Callable[[int], bytes] = field(default_factory=counted)
    first: int = 0

    def keys(self, folder: Path | None = None) -> Keys:
        """The authority's, opened as a process opens them."""
        found = FileSigningKeys((folder or self.folder) / "keys", PASSPHRASE, cost=CHEAP, source=source(self.first))
        self.first += 1
        return Keys(found, found)

    def found(self, now: datetime = NOW) -> Ceremony:
        """`ingam ca init`."""
        files = preset_files(self.authority.key)
        return ceremony.found(self.folder, self.authority, files, self.keys, self.plan, now, self.random)

    def roll_over(self, now: datetime) -> Ceremony:
        """The next issuing CA."""
        return ceremony.roll_over(self.folder, self.authority, self.keys(), self.plan, now, self.random)

    def root_roll_over(self, now: datetime) -> Ceremony:
        """The next root."""
        return ceremony.root_roll_over(self.folder, self.authority, self.keys(), self.plan, now, self.random)

    def renew(self, now: datetime, *, issuing: int = 1, new_key: bool = False) -> Ceremony:
        """The responder's next certificate."""
        return ceremony.renew_responder(
            self.folder, self.authority, self.keys(), self.plan, now, self.random, issuing=issuing, new_key=new_key
        )

    @property
    def holdings(self) -> Holdings:
        """What lies in the folder."""
        return read_certificates(self.folder)

    def openssl_verifies(self, name: str, *, root: str, below: tuple[str, ...], at: datetime, purpose: str = "") -> str:
        """What `openssl verify` prints of a certificate under one trusted root: strictly, with policies."""
        place = self.folder / "certificates"
        pem = {one: place / f"{one}.der" for one in (name, root, *below)}
        words = ["openssl", "verify", "-x509_strict", "-policy_check", "-explicit_policy", "-policy", "anyPolicy",
                 "-attime", str(int(at.timestamp())), "-trusted", str(self._pem(pem[root]))]  # fmt: skip
        for one in below:
            words += ["-untrusted", str(self._pem(pem[one]))]
        words += ["-purpose", purpose] if purpose else []
        done = subprocess.run([*words, str(self._pem(pem[name]))], capture_output=True, text=True, check=False)
        return (done.stdout + done.stderr).replace(str(self.folder), "").strip()

    def _pem(self, path: Path) -> Path:
        to = path.with_suffix(".pem")
        subprocess.run(["openssl", "x509", "-inform", "DER", "-in", str(path), "-out", str(to)], check=True)
        return to
