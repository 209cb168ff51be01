"""genm: what the authority tells of itself (RFC 9483 section 4.3), and how an RA registers a holder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol

from ingam.ca.endpoint.answering import Answering
from ingam.ca.endpoint.call import Call
from ingam.ca.endpoint.sender import Certified
from ingam.ca.facts import Facts
from ingam.ca.issuing.registering import Asked, register
from ingam.ca.office import Office
from ingam.ca.profiles import Operation
from ingam.kernel.instants import rfc3339
from ingam.kernel.secret import Secret
from ingam.npki import der, signature
from ingam.ports.books import AuditLine
from ingam.protocols.cmp import general, registering
from ingam.protocols.cmp.general import CrlStatus, RootCaKeyUpdate
from ingam.protocols.cmp.header import Info
from ingam.protocols.cmp.message import BodyKind
from ingam.protocols.cmp.status import CmpRefused, FailInfo
from ingam.protocols.cmp.template import CertTemplate

AES_256_CBC: Final = der.algorithm("2.16.840.1.101.3.4.1.42", b"")
RSA_ENCRYPTION: Final = der.algorithm("1.2.840.113549.1.1.1")
LANGUAGES: Final = ("ko", "en")
_CURVE_KEY: Final = "1.2.840.10045.2.1"
_CURVES: Final = {"p-256": "1.2.840.10045.3.1.7", "p-384": "1.3.132.0.34"}


class PublishedLists(Protocol):
    """What is published now."""

    def newest(self, issuer: bytes) -> tuple[bytes, datetime] | None:
        """DER of the whole list of an issuer (DER name) and its thisUpdate, where one is published and small enough."""


class Informing:
    """The body genm."""

    def __init__(self, office: Office, answering: Answering, lists: PublishedLists | None = None) -> None:
        self._office = office
        self._answering = answering
        self._lists = lists
        self._told: Mapping[str, Callable[[Info], Info | None]] = {
            general.CA_PROT_ENC_CERT: self._encryption,
            general.SIGN_KEY_PAIR_TYPES: self._signing_kinds,
            general.ENC_KEY_PAIR_TYPES: lambda asked: Info(asked.type, der.seq(RSA_ENCRYPTION)),
            general.PREFERRED_SYMM_ALG: lambda asked: Info(asked.type, AES_256_CBC),
            general.CURRENT_CRL: self._current_list,
            general.SUPP_LANG_TAGS: self._language,
            general.CA_CERTS: self._authorities,
            general.ROOT_CA_CERT: self._root_update,
            general.CERT_REQ_TEMPLATE: self._template,
            general.CRL_STATUS_LIST: self._newer_lists,
            general.YESSIGN_CA_CERT: self._own,
        }

    async def request(self, call: Call) -> bytes:
        """The genp: an entry for each that was asked. Raises CmpRefused where one is not known here."""
        asked = general.read_general(call.body)
        if len(asked) == 1 and asked[0].type == registering.REGISTRATION:
            return await self._register(call, asked[0])
        found = [self._answer(one) for one in asked]
        made = await self._answering.make(call.header, call.sender, general.write_general(BodyKind.GENP, found))
        return made.der

    def _answer(self, asked: Info) -> Info:
        tell = self._told.get(asked.type)
        if tell is None:
            raise CmpRefused("cmp-info-unknown", FailInfo.BAD_REQUEST)
        return tell(asked) or Info(asked.type)

    def _encryption(self, asked: Info) -> Info:
        return Info(asked.type, self._office.openers[-1].certificate.der)

    def _own(self, asked: Info) -> Info:
        return Info(asked.type, self._office.issuer.certificate.der)

    def _signing_kinds(self, asked: Info) -> Info:
        kinds = {kind for profile in self._office.authority.profiles.values() for kind in profile.keys.kinds}
        found = [RSA_ENCRYPTION] if "rsa" in kinds else []
        found += [der.algorithm(_CURVE_KEY, der.oid(curve)) for kind, curve in _CURVES.items() if kind in kinds]
        found += [signature.ML_DSA_65] if "ml-dsa-65" in kinds else []
        return Info(asked.type, der.seq(*found))

    def _language(self, asked: Info) -> Info:
        wanted = asked.value or b""
        chosen = next((tag for tag in LANGUAGES if der.tlv(der.UTF8_STRING, tag.encode()) in wanted), LANGUAGES[0])
        return Info(asked.type, der.seq(der.tlv(der.UTF8_STRING, chosen.encode())))

    def _authorities(self, asked: Info) -> Info:
        return general.certificates(asked.type, [one.certificate.der for one in reversed(self._office.issuers)])

    def _root_update(self, asked: Info) -> Info | None:
        """The newest root, where the asker's is an older one or it names none."""
        if not self._office.roots:
            return Info(general.ROOT_CA_KEY_UPDATE)
        newest = self._office.roots[-1].der
        if asked.value == newest:
            return Info(general.ROOT_CA_KEY_UPDATE)
        return general.root_ca_key_update(RootCaKeyUpdate(newest))

    def _template(self, _asked: Info) -> Info:
        """Which keys are certified; names and extensions are not for the requester to choose (security D4)."""
        spec = der.seq(der.seq(der.oid("1.3.6.1.5.5.7.5.1.12"), der.integer(2048)))
        return general.cert_req_template(CertTemplate(), spec)

    def _current_list(self, _asked: Info) -> Info:
        found = self._newest()
        return Info(general.CURRENT_CRL, None if found is None else found[0])

    def _newer_lists(self, asked: Info) -> Info:
        """A list that is newer than the one that the asker has (RFC 9483 section 4.3.4)."""
        statuses = general.read_crl_status_list(asked.value or b"")
        found = self._newest()
        fresh = found is not None and any(_is_older(one, found[1]) for one in statuses)
        return general.certificates(general.CRLS, [found[0]] if found is not None and fresh else [])

    def _newest(self) -> tuple[bytes, datetime] | None:
        return None if self._lists is None else self._lists.newest(self._office.issuer.certificate.subject.raw)

    async def _register(self, call: Call, asked: Info) -> bytes:
        if not isinstance(call.sender, Certified) or not call.sender.registrar:
            raise CmpRefused("cmp-not-authorized", FailInfo.NOT_AUTHORIZED)
        if call.header.message_time is None:
            # Its answer holds a code: a recording of it must be worth nothing after a few minutes.
            raise CmpRefused("cmp-time", FailInfo.BAD_TIME)
        found = await register(self._office, _asked(registering.read(asked)), by=f"{call.sender.entry.serial:x}")
        told = registering.write({
            "reference_number": found.reference,
            "authorization_code": found.code.reveal(),
            "expires": rfc3339(found.expires),
        })  # fmt: skip
        made = await self._answering.make(call.header, call.sender, general.write_general(BodyKind.GENP, [told]))
        line = AuditLine(self._office.now(), "registered-by-ra", "ok")
        # The transaction is kept, and its answer is not: codes lie sealed or nowhere (D3).
        await self._office.books.answer(replace(call.kept(self._office, made), answer=b""), line)
        return made.der


def _asked(pairs: Mapping[str, str]) -> Asked:
    """Raises CmpRefused (cmp-registration, badDataFormat) for unknown words."""
    known = {"profile", "operation", "name", "idn", "english", "branch", "mobile", "email", "hosts", "spki_sha256"}
    try:
        if not pairs.keys() <= known:
            raise ValueError
        hosts = tuple(pairs.get("hosts", "").split())
        facts = Facts(
            name=pairs["name"], idn=Secret(pairs.get("idn", "")), english=pairs.get("english", ""),
            branch=pairs.get("branch", ""), mobile=pairs.get("mobile", ""), email=pairs.get("email", ""), hosts=hosts,
        )  # fmt: skip
        spki = bytes.fromhex(pairs["spki_sha256"]) if "spki_sha256" in pairs else None
        return Asked(pairs["profile"], facts, Operation(pairs.get("operation", "issue")), spki)
    except (KeyError, ValueError):
        raise CmpRefused("cmp-registration", FailInfo.BAD_DATA_FORMAT) from None


def _is_older(one: CrlStatus, newest: datetime) -> bool:
    return one.this_update is None or one.this_update < newest
