"""What the certification authority and its responder run with; INGAM_CA_…."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ingam.kernel.secret import Secret
from ingam.settings.refused import SettingsRefused


@dataclass(frozen=True, slots=True)
class CaSettings:
    """The authority's own. `name`: its folder below DATA/ca; keys lie in files, or in a token where `module` is set."""

    name: str = "ingam"
    workers: int = 1  # processes that answer CMP
    va_workers: int = 1  # processes that answer OCSP
    messages_a_minute: int = 60_000  # CMP messages of one address: a center speaks for all its customers (D9)
    passphrase: Secret[str] = field(default_factory=lambda: Secret(""))  # of key files; "" reads the demo's own
    file_keys: bool = False  # key files in production (security G7)
    module: str = ""  # path of a PKCS#11 library
    token: str = ""  # label of the token
    pin: Secret[str] = field(default_factory=lambda: Secret(""))
    directory: str = ""  # ldap://host:port of the directory that lists are published to
    directory_user: str = ""  # DN that may write there
    directory_password: Secret[str] = field(default_factory=lambda: Secret(""))
    cdn_max_age_s: int = 300  # how long a cache may keep an OCSP answer: the latency of a revocation there (D13)
    mirror: str = ""  # base URL of the responder that this one mirrors; it then has no keys and no books
    feed_secret: Secret[str] = field(default_factory=lambda: Secret(""))  # 64 hex digits, of responder and mirrors
    conformance: str = ""  # a reusable reference number; sandbox authorities only
    npki_port: int = 0  # of the NPKI profile over raw TCP (npki.md section 6); 0 is off


def read_ca(environment: Mapping[str, str]) -> CaSettings:
    """INGAM_CA_NAME, INGAM_CA_WORKERS …: each by its name in capitals."""
    chosen: dict[str, Any] = {}
    for one in fields(CaSettings):
        text = environment.get(f"INGAM_CA_{one.name.upper()}")
        if text is None:
            continue
        if one.type in ("int", "bool"):
            if not (text.isascii() and text.isdigit() and len(text) < 9):
                raise SettingsRefused(variable=f"INGAM_CA_{one.name.upper()}")
            chosen[one.name] = int(text) if one.type == "int" else text == "1"
        else:
            chosen[one.name] = Secret(text) if one.type == "Secret[str]" else text
    return CaSettings(**chosen)
