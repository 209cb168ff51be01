"""What the center is configured with: `authorities.toml` and the certificates it names, as public data."""

from __future__ import annotations

from pathlib import Path

from ingam.sandbox.authorities.houses import LICENSED, Licensed
from ingam.sandbox.world import World


def export(world: World, folder: Path) -> None:
    """Writes the public trust configuration into a folder; the same world writes the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    trusted = [one for one in LICENSED if one.configured]
    for name in sorted({one.root.key for one in trusted} | {one.key for one in trusted}):
        _put(folder / f"{name}.der", world.signer(name).der)
    for one in trusted:
        _put(folder / f"{one.key}-ocsp.der", world.responder(one.key).der)
    _put(folder / "authorities.toml", "\n".join([_HEAD, *map(_entry, trusted)]).encode())


_HEAD = """# Who is trusted here, and where their certificates' status is asked for. Written by the sandbox, whose
# authorities are invented. `{partition}` is the `ou=` of a certificate's CRL distribution point.
"""


def _entry(one: Licensed) -> str:
    return f"""[[issuing]]
name = "{one.common}"
certificate = "{one.key}.der"
root = "{one.root.key}.der"
responders = ["{one.key}-ocsp.der"]
ocsp = "http://{one.house.ocsp_host}/"
crl = "http://{one.house.directory}/crl/{{partition}}.crl"
root_list = "http://dirsys.rootca.test/{one.root.key}.arl"
"""


def _put(path: Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        new = path.with_name(f".{path.name}.new")
        new.write_bytes(content)
        new.replace(path)
