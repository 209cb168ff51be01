"""`ingam ca export`: what everybody may have of an authority, and how a center is told to trust it (trust.md).

Certificates, chains, the key of the transparency log, and `authorities.toml`. Nothing of a person, nothing secret (H4).
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from ingam.adapters.clock.system import SystemClock
from ingam.ca.ceremony import Holdings, read_certificates
from ingam.ca.ceremony.holdings import is_issuer
from ingam.ca.profiles import Authority
from ingam.npki.certificate import Certificate
from ingam.protocols.log import keys as log_keys
from ingam.run.cli import answers, ca_place, ca_telling
from ingam.run.cli.ca_issuing import pem
from ingam.wiring.authority import authority_folder, log_origin, open_authority

TRUST: Final = "authorities.toml"
_HEAD: Final = """\
# Whom a center trusts (docs/reference/trust.md): DATA/trust/authorities.toml, the certificates beside it. The names in
# the addresses are looked up in INGAM_ADDRESSES. Check the fingerprints against the record of the key ceremony.
"""
_OWN_RESPONDER: Final = """\
# {name} was issued by the CA itself. A center takes only responders that the root issued (security A11):
# `ingam ca renew-responder --responder-by-root`.
"""
_HEADS: Final = {"file": "파일 · file", "sha256": "SHA-256"}


def export(options: Namespace) -> int:
    """The files into a folder, or the trust entry on the screen."""
    settings = ca_place.settings_of(options)
    authority, holdings = open_authority(settings), read_certificates(authority_folder(settings))
    files = public_files(authority, holdings, SystemClock().now())
    if options.out is None:
        if options.json:
            answers.tell_json({"authorities_toml": files[TRUST].decode("utf-8")})
        else:
            print(files[TRUST].decode("utf-8"), end="")
        return ca_telling.DONE
    for name, octets in files.items():
        _put(options.out / name, octets)
    rows = [_row(name, octets) for name, octets in files.items()]
    if options.json:
        answers.tell_json({"folder": str(options.out), "files": rows})
    else:
        ca_telling.tell_list(rows, _HEADS, "-")
    return ca_telling.DONE


def public_files(authority: Authority, holdings: Holdings, now: datetime) -> dict[str, bytes]:
    """Each file by its name, which begins with the authority's, so that those of several lie in one folder."""
    found = {f"{authority.key}-{name}.der": one.der for name, one in _certificates(holdings)}
    for number, one in sorted(holdings.issuing.items()):
        chain = (one, holdings.roots[holdings.root_of(number)])
        found[f"{authority.key}-chain-{number}.pem"] = b"".join(map(pem, chain))
    if holdings.log is not None:
        text = log_keys.log_key(log_origin(authority), holdings.log).text
        found[f"{authority.key}-log.key"] = f"{text}\n".encode()
    found[TRUST] = trust(authority, holdings, now).encode()
    return found


def trust(authority: Authority, holdings: Holdings, now: datetime) -> str:
    """The entries of every generation in force."""
    inforce = [number for number, one in sorted(holdings.issuing.items()) if one.not_before <= now <= one.not_after]
    return "\n".join([_HEAD, *(_entry(authority, holdings, number, now) for number in inforce)])


def _entry(authority: Authority, holdings: Holdings, number: int, now: datetime) -> str:
    issuing, above = holdings.issuing[number], holdings.root_of(number)
    living = [one for one in holdings.services_of("ocsp", number) if one.certificate.not_after > now]
    by_root = [one.name for one in living if is_issuer(holdings.roots[above], one.certificate)]
    own = [one.name for one in living if one.name not in by_root]
    values = {
        "name": issuing.subject.value("CN") or f"{authority.key} {number}",
        "certificate": f"{authority.key}-issuing-{number}.der",
        "root": f"{authority.key}-root-{above}.der",
        "responders": [f"{authority.key}-{name}.der" for name in by_root],
        "ocsp": authority.ocsp.rstrip("/") + "/",
        "crl": _list_address(authority, "{partition}"),
        "root_list": _list_address(authority, f"root-{above}"),
    }
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    notes = "".join(_OWN_RESPONDER.format(name=name) for name in own) if not by_root else ""
    return "\n".join(["[[issuing]]", *lines, ""]) + notes


def _list_address(authority: Authority, name: str) -> str:
    """By HTTP; where certificates name the directory alone, that of the status service under the directory's name."""
    return authority.list_http(name) or f"http://{authority.directory.partition(':')[0]}/crl/{name}.crl"


def _certificates(holdings: Holdings) -> Iterator[tuple[str, Certificate]]:
    yield from ((f"root-{number}", one) for number, one in sorted(holdings.roots.items()))
    yield from ((f"root-{of}-by-{by}", one) for (of, by), one in sorted(holdings.cross.items()))
    yield from ((f"issuing-{number}", one) for number, one in sorted(holdings.issuing.items()))
    yield from ((one.name, one.certificate) for one in holdings.services)


def _row(name: str, octets: bytes) -> dict[str, str]:
    return {"file": name, "sha256": sha256(octets).hexdigest()}


def _put(path: Path, octets: bytes) -> None:
    """The same file again is fine; another one is never replaced. Raises FileExists, FileUnreadable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.read_bytes() == octets:
            return
    except OSError:
        raise ca_place.FileUnreadable(name=path.name) from None
    ca_place.write_new(path, octets)
