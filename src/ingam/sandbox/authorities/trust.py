"""What the center is configured with: `authorities.toml` and the certificates it names, as public data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ingam.npki.certificate import Certificate
from ingam.sandbox.authorities.houses import LICENSED, ROOTS
from ingam.sandbox.behind import Signings


class Trusted(NamedTuple):
    """One more authority to trust, by the names of its files. `root` None: the CA is pinned without it.

    Addresses as the certificates name them; `crl` with `{partition}`.
    """

    name: str
    files: dict[str, Certificate]
    certificate: str
    root: str | None
    responders: tuple[str, ...]
    ocsp: str
    crl: str
    root_list: str | None


def export(signings: Signings, folder: Path, more: Sequence[Trusted] = ()) -> None:
    """Writes the public trust configuration into a folder; the same world writes the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: signings.certificate(name) for name in ROOTS}
    for one in LICENSED:
        files |= {name: signings.certificate(name) for name in (one.key, one.responder)}
    for other in more:
        files |= other.files
    for name, certificate in files.items():
        _put(folder / f"{name}.der", certificate.der)
    entries = [*(_of_house(one.key) for one in LICENSED), *more]
    _put(folder / "authorities.toml", "\n".join([_HEAD, *map(_entry, entries)]).encode())


_HEAD = """# Who is trusted here, and where their certificates' status is asked for. Written by the sandbox, whose
# authorities are invented. `{partition}` is the `ou=` of a certificate's CRL distribution point.
"""


def _of_house(key: str) -> Trusted:
    one = next(found for found in LICENSED if found.key == key)
    return Trusted(
        name=one.common,
        files={},
        certificate=one.key,
        root=one.root,
        responders=(one.responder,),
        ocsp=f"http://{one.house.ocsp}/",
        crl=f"http://{one.house.directory}/crl/{{partition}}.crl",
        root_list=f"http://dirsys.rootca.test/{one.root}.arl",
    )


def _entry(one: Trusted) -> str:
    responders = ", ".join(f'"{name}.der"' for name in one.responders)
    lines = ["[[issuing]]", f'name = "{one.name}"', f'certificate = "{one.certificate}.der"']
    lines += [f'root = "{one.root}.der"'] if one.root else []
    lines += [f"responders = [{responders}]", f'ocsp = "{one.ocsp}"', f'crl = "{one.crl}"']
    lines += [f'root_list = "{one.root_list}"'] if one.root_list else []
    return "\n".join(lines) + "\n"


def _put(path: Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        new = path.with_name(f".{path.name}.new")
        new.write_bytes(content)
        new.replace(path)
