"""An LDAP directory (RFC 4511, 4523): lists and CA certificates at the entries that certificates name.

Reading the list that stands and replacing it are one act by the assertion control (RFC 4528) on the entry's entryCSN:
where somebody else wrote in between, the write fails and the number is compared anew. A connection for each act, with
time-outs; no referrals (security A13). Needs python-ldap (the extra `ldap`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import ldap
from ldap.controls.libldap import AssertionControl

from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.ports.directory import (
    Attribute,
    AuthorityCertificate,
    DirectoryOutage,
    OlderList,
    Place,
    PublicList,
    dn_text,
    public,
)
from ingam.protocols.crl import CrlUnusable, glance

MOST_TRIES: Final = 8
"""Of an act that others keep overtaking."""

_VERSION: Final = "entryCSN"
_PARENTS: Final = {"c": "country", "o": "organization", "ou": "organizationalUnit", "cn": "cRLDistributionPoint"}
_PUBLIC: Final = ("pkiCA", "deltaCRL")  # auxiliary: they allow the four attributes (RFC 4523)

Entry: TypeAlias = Mapping[str, list[bytes]]
Dn: TypeAlias = tuple[tuple[str, str], ...]
Change: TypeAlias = Callable[[Entry, str], list[bytes] | None]
"""(entry, attribute) → the values that shall stand there, or None where nothing is to be done."""


class ClearPassword(Refusal):
    """A password would go over the network in clear: TLS or loopback is asked for (facts: host)."""

    code = "directory-clear-password"


@dataclass(frozen=True, slots=True)
class LdapSettings:
    """`url`: `ldap://host:port`, `ldaps://…` or `ldapi://…`. `start_tls`: on an ldap:// port (RFC 4511 section 4.14).

    `bind`: the publisher's entry; `timeout_s`: of each exchange. `trust`: PEM of the accepted CAs, else the system's.
    """

    url: str
    bind: str = ""
    password: Secret[str] | None = None
    start_tls: bool = False
    trust: Path | None = None
    timeout_s: float = 5.0


class LdapDirectory:
    """`ports.directory.Directory`. Raises ClearPassword when it is made."""

    def __init__(self, settings: LdapSettings) -> None:
        parts = urlsplit(settings.url)
        self.name = parts.netloc or "ldapi"
        self._settings = settings
        if settings.password is not None and not _covered(settings, parts.scheme, parts.hostname or ""):
            raise ClearPassword(host=self.name)

    def publish_list(self, place: Place, given: PublicList) -> None:
        """Puts it in place of all lists there. Raises OlderList, DirectoryOutage."""
        public(given, PublicList)
        value = given.public_octets()
        with self._connected() as connection:
            _Act(connection, place, given.attribute).put(lambda entry, name: _newer(entry, name, given, value))

    def publish_certificate(self, place: Place, given: AuthorityCertificate) -> None:
        """Adds it to those there: generations of one name stand side by side. Raises DirectoryOutage."""
        public(given, AuthorityCertificate)
        value = given.public_octets()
        with self._connected() as connection:
            _Act(connection, place, Attribute.CERTIFICATE).put(lambda entry, name: _beside(entry, name, value))

    def number(self, place: Place, attribute: Attribute) -> int | None:
        """The highest of those that stand there."""
        with self._connected() as connection:
            act = _Act(connection, place, attribute)
            return _highest(act.read() or {}, act.name)

    def close(self) -> None:
        """Nothing is open."""

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        connection = self._open()
        try:
            yield connection
        except ldap.TIMEOUT:
            raise DirectoryOutage("directory-slow") from None
        except ldap.SERVER_DOWN:
            raise DirectoryOutage("directory-lost") from None
        except ldap.LDAPError as error:
            raise DirectoryOutage("directory-refused", found=_told(error)) from None
        finally:
            with suppress(ldap.LDAPError):
                connection.unbind_ext_s()

    def _open(self) -> Any:
        """Connected and bound."""
        settings = self._settings
        try:
            connection = ldap.initialize(settings.url)
            connection.timeout = settings.timeout_s
            for option, value in _options(settings):
                connection.set_option(option, value)
            if settings.start_tls:
                connection.start_tls_s()
            password = "" if settings.password is None else settings.password.reveal()
            connection.simple_bind_s(settings.bind, password)
            return connection
        except (ldap.TIMEOUT, ldap.SERVER_DOWN, ldap.CONNECT_ERROR) as error:
            slow = isinstance(error, ldap.TIMEOUT)
            raise DirectoryOutage("directory-slow" if slow else "directory-unreachable") from None
        except (ldap.INVALID_CREDENTIALS, ldap.INAPPROPRIATE_AUTH, ldap.STRONG_AUTH_REQUIRED):
            raise DirectoryOutage("directory-bind-refused") from None
        except ldap.LDAPError as error:
            raise DirectoryOutage("directory-refused", found=_told(error)) from None


def _options(settings: LdapSettings) -> Iterator[tuple[int, Any]]:
    yield ldap.OPT_PROTOCOL_VERSION, 3
    yield ldap.OPT_REFERRALS, 0
    yield ldap.OPT_NETWORK_TIMEOUT, settings.timeout_s
    if settings.start_tls or settings.url.startswith("ldaps:"):
        yield ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND
        if settings.trust is not None:
            yield ldap.OPT_X_TLS_CACERTFILE, str(settings.trust)
        yield ldap.OPT_X_TLS_NEWCTX, 0


def _covered(settings: LdapSettings, scheme: str, host: str) -> bool:
    if settings.start_tls or scheme in ("ldaps", "ldapi"):
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


class _Act:
    """One attribute of one entry, read and written until nobody was in between."""

    def __init__(self, connection: Any, place: Place, attribute: Attribute) -> None:
        self._connection, self._place = connection, place
        self.name = f"{attribute.value};binary"

    def read(self) -> Entry | None:
        """The entry with its version, or None."""
        try:
            found = self._connection.search_s(
                self._place.entry, ldap.SCOPE_BASE, attrlist=[self.name, "objectClass", _VERSION]
            )
        except ldap.NO_SUCH_OBJECT:
            return None
        return dict(found[0][1]) if found else None

    def put(self, change: Change) -> None:
        """Until it is written, or nothing is left to do. Raises DirectoryOutage where others never let it."""
        for _ in range(MOST_TRIES):
            entry = self.read()
            values = change(entry or {}, self.name)
            if values is None or self._write(entry, values):
                return
        raise DirectoryOutage("directory-refused", found="others kept writing")

    def _write(self, entry: Entry | None, values: list[bytes]) -> bool:
        """Whether it was written; False: somebody was quicker."""
        try:
            if entry is None:
                self._add(self._place.dn, [(self.name, values)])
            else:
                self._modify(entry, values)
        except (ldap.ASSERTION_FAILED, ldap.ALREADY_EXISTS, ldap.NO_SUCH_OBJECT):
            return False
        return True

    def _modify(self, entry: Entry, values: list[bytes]) -> None:
        version = entry.get(_VERSION)
        if not version:
            raise DirectoryOutage("directory-refused", found=f"no {_VERSION}")
        changes: list[tuple[int, str, list[bytes]]] = [(ldap.MOD_REPLACE, self.name, values)]
        present = {one.lower() for one in entry.get("objectClass", [])}
        if missing := [one.encode() for one in _PUBLIC if one.lower().encode() not in present]:
            changes.append((ldap.MOD_ADD, "objectClass", missing))
        unchanged = AssertionControl(True, f"({_VERSION}={version[0].decode()})")
        self._connection.modify_ext_s(self._place.entry, changes, serverctrls=[unchanged])

    def _add(self, dn: Dn, attributes: list[tuple[str, list[bytes]]]) -> None:
        """A new entry, and those above it that are missing."""
        classes = [_PARENTS[dn[-1][0]].encode(), *(one.encode() for one in _PUBLIC if attributes)]
        whole = [("objectClass", classes), *attributes]
        try:
            self._connection.add_s(dn_text(dn), whole)
        except ldap.NO_SUCH_OBJECT:
            if len(dn) == 1:
                raise DirectoryOutage("directory-refused", found="outside its tree") from None
            with suppress(ldap.ALREADY_EXISTS):
                self._add(dn[:-1], [])
            self._connection.add_s(dn_text(dn), whole)


def _newer(entry: Entry, name: str, given: PublicList, value: bytes) -> list[bytes] | None:
    if entry.get(name) == [value]:
        return None
    standing = _highest(entry, name)
    if standing is not None and standing >= given.number:
        raise OlderList(found=standing, given=given.number)
    return [value]


def _beside(entry: Entry, name: str, value: bytes) -> list[bytes] | None:
    standing = entry.get(name, [])
    return None if value in standing else [*standing, value]


def _highest(entry: Entry, name: str) -> int | None:
    """None where nothing there is a list with a number."""
    numbers = [number for number in map(_number, entry.get(name, [])) if number >= 0]
    return max(numbers, default=None)


def _number(value: bytes) -> int:
    try:
        return glance.of(value).number
    except CrlUnusable:
        return -1


def _told(error: ldap.LDAPError) -> str:
    """What the server said, as the protocol names it: never its free text, which may repeat a value."""
    return type(error).__name__.lower().replace("_", "-")
