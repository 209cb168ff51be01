"""The other authorities at work: their signers, loaded when first needed, and their books."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from ingam.kernel.errors import Refusal
from ingam.sandbox.authorities import keys
from ingam.sandbox.authorities.books import Books, Issued, Standing
from ingam.sandbox.authorities.issuing import Signer


class UnknownSample(Refusal):
    """There is no demo certificate or authority of this name."""

    code = "sandbox-unknown-certificate"


STANDINGS: Final = {"revoke": Standing.REVOKED, "suspend": Standing.HELD, "release": Standing.GOOD}


class World:
    """What `founding.found` made in a folder. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.books = Books(folder / "books.db")
        self.signer = cache(self._load)

    def close(self) -> None:
        """Closes the books."""
        self.books.close()

    def responder(self, authority: str) -> Signer:
        """The OCSP responder of a CA."""
        return self.signer(f"{authority}-ocsp")

    def newest(self, slug: str) -> Issued:
        """The current certificate under a demo name, or an authority's own. Raises UnknownSample."""
        found = self.books.newest(slug)
        if found is None:
            raise UnknownSample
        return found

    def act(self, slug: str, act: str, at: datetime) -> Issued:
        """`revoke`, `suspend` or `release` the current certificate under a name; answers change at once.

        Raises UnknownSample. A release of a revoked one is allowed: this is a sandbox, and it says so.
        """
        one, standing = self.newest(slug), STANDINGS.get(act)
        if standing is None:
            raise UnknownSample
        reason = {Standing.REVOKED: "key_compromise", Standing.HELD: "certificate_hold"}.get(standing)
        self.books.change(one, standing, reason, at.replace(microsecond=0))
        return self.newest(slug)

    def _load(self, name: str) -> Signer:
        certificate, key = signer_paths(self.folder, name)
        return Signer(certificate.read_bytes(), keys.load(key.read_bytes()))


def signer_paths(folder: Path, name: str) -> tuple[Path, Path]:
    """Where a signer's certificate and key lie."""
    return folder / "authorities" / f"{name}.der", folder / "authorities" / f"{name}.p8"
