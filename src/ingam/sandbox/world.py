"""What the sandbox keeps of the demo certificates, and the stranger whom nobody trusts."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from ingam.kernel.errors import Refusal
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.sandbox.authorities import stranger
from ingam.sandbox.behind import Signing


class UnknownSample(Refusal):
    """There is no demo certificate or authority of this name, or nothing of this kind can become of it."""

    code = "sandbox-unknown-certificate"


class Issued(NamedTuple):
    """The certificate that stands under a demo name. `certificate`: DER."""

    slug: str
    certificate: bytes

    @property
    def parsed(self) -> Certificate:
        """Read."""
        return certificate.parse(self.certificate)

    @property
    def serial(self) -> int:
        """Its serial."""
        return self.parsed.serial


class World:
    """What was founded in a folder: `issued/<demo name>.der`, `stranger/`, `demo/`; the houses lie beside in `ca/`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stranger = cache(self._stranger)

    def newest(self, slug: str) -> Issued:
        """The current certificate under a demo name. Raises UnknownSample."""
        try:
            return Issued(slug, self._place(slug).read_bytes())
        except OSError:
            raise UnknownSample from None

    def keep(self, slug: str, issued: bytes) -> None:
        """From now on this one is current."""
        place = self._place(slug)
        place.parent.mkdir(parents=True, exist_ok=True)
        new = place.with_name(f".{slug}.new")
        new.write_bytes(issued)
        new.replace(place)

    def _place(self, slug: str) -> Path:
        return self.folder / "issued" / f"{Path(slug).name}.der"

    def _stranger(self, name: str) -> Signing:
        """`root`, `ca` or `ocsp`: the stranger's."""
        return stranger.load(self.folder / "stranger", name)
