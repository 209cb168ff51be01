"""genm: what the authority tells of itself (RFC 9483 section 4.3), how an RA registers a holder, and what it is told of
one.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from ingam.ca.endpoint.answering import Answering
from ingam.ca.endpoint.call import Call
from ingam.ca.endpoint.lists import PublishedLists, is_newer
from ingam.ca.endpoint.sender import Certified, Role
from ingam.ca.facts import Facts
from ingam.ca.issuing.registering import Asked, register
from ingam.ca.issuing.telling import issued_to
from ingam.ca.issuing.withdrawing import withdraw
from ingam.ca.office import Office
from ingam.ca.profiles import Operation
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import rfc3339
from ingam.kernel.secret import Secret
from ingam.npki import der, signature
from ingam.npki.certificate import Certificate
from ingam.ports.books import AuditLine
from ingam.ports.books import Certificate as Entry
from ingam.protocols.cmp import crmf, general, issued, on_behalf, registering, status, withdrawing
from ingam.protocols.cmp.general import RootCaKeyUpdate
from ingam.protocols.cmp.header import Info
from ingam.protocols.cmp.message import BodyKind
from ingam.protocols.cmp.on_behalf import OperatorSignature
from ingam.protocols.cmp.status import CmpRefused, FailInfo
from ingam.protocols.cmp.template import CertTemplate

AES_256_CBC: Final = der.algorithm("2.16.840.1.101.3.4.1.42", b"")
RSA_ENCRYPTION: Final = der.algorithm("1.2.840.113549.1.1.1")
LANGUAGES: Final = ("ko", "en")
SMALLEST_RSA: Final = 2048
_CURVE_KEY: Final = "1.2.840.10045.2.1"
_CURVES: Final = {"p-256": "1.2.840.10045.3.1.7", "p-384": "1.3.132.0.34"}
_WITH_VALUE: Final = frozenset((general.SUPP_LANG_TAGS, general.ROOT_CA_CERT, general.CRL_STATUS_LIST))
"""What is asked about something; the others are asked without a value."""


Approving: TypeAlias = Callable[[bytes, Sequence[OperatorSignature]], Awaitable[Entry]]
"""Ends a certificate on a change that operators signed: `revoking.service.Revoking.on_approval` with its list."""


class Informing:
    """The body genm."""

    def __init__(
        self, office: Office, answering: Answering, lists: PublishedLists | None = None,
        approving: Approving | None = None,
    ) -> None:  # fmt: skip
        self._office = office
        self._approving = approving
        self._answering = answering
        self._lists = lists
        self._told: Mapping[str, Callable[[Info], Info]] = {
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
        """The genp: an entry for each that was asked, and last the types that are not known here."""
        asked = general.read_general(call.body)
        if len(asked) == 1 and asked[0].type == registering.REGISTRATION:
            return await self._register(call, asked[0])
        if len(asked) == 1 and asked[0].type == withdrawing.WITHDRAWAL:
            return await self._withdraw(call, asked[0])
        if len(asked) == 1 and asked[0].type == issued.ISSUED:
            return await self._issued(call, asked[0])
        if len(asked) == 1 and asked[0].type == on_behalf.ON_BEHALF and self._approving is not None:
            return await self._on_behalf(call, asked[0], self._approving)
        found = [self._answer(one) for one in asked if one.type in self._told]
        unknown = [der.oid(one.type) for one in asked if one.type not in self._told]
        if unknown:
            found.append(Info(general.UNSUPPORTED_OIDS, der.seq(*unknown)))
        made = await self._answering.make(call.header, call.sender, general.write_general(BodyKind.GENP, found))
        return made.der

    def _answer(self, asked: Info) -> Info:
        if asked.value is not None and asked.type not in _WITH_VALUE:
            raise CmpRefused("cmp-info-value", FailInfo.BAD_REQUEST)
        return self._told[asked.type](asked)

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
        """One of those that the asker speaks (RFC 9810 section 5.3.19.11)."""
        wanted = status.read_free_text(asked.value or b"", 0, len(asked.value or b""))
        known = [tag for tag in wanted if tag.split("-")[0].lower() in LANGUAGES]
        if not known:
            raise CmpRefused("cmp-info-value", FailInfo.BAD_REQUEST)
        return Info(asked.type, status.write_free_text((known[0],)))

    def _authorities(self, asked: Info) -> Info:
        issuing = [one.certificate.der for one in reversed(self._office.issuers)]
        return general.certificates(asked.type, [*issuing, *(one.der for one in reversed(self._office.roots))])

    def _root_update(self, asked: Info) -> Info:
        """The newest root with its links, where the asker has an older one of ours (RFC 9483 section 4.3.2)."""
        *older, newest = self._office.roots
        known = [one for one in older if asked.value in (None, one.der)]
        if not known:
            return Info(general.ROOT_CA_KEY_UPDATE)
        links = RootCaKeyUpdate(newest.der, self._link(newest, known[-1]), self._link(known[-1], newest))
        return general.root_ca_key_update(links)

    def _link(self, of: Certificate, by: Certificate) -> bytes | None:
        """The certificate of one root's key that another root signed."""
        for one in self._office.links:
            if (one.spki, one.subject.raw, one.issuer.raw) == (of.spki, of.subject.raw, by.subject.raw):
                return one.der
        return None

    def _template(self, _asked: Info) -> Info:
        """Which keys are certified; names and extensions are not for the requester to choose (security D4)."""
        spec = der.seq(der.seq(der.oid(crmf.RSA_KEY_LEN), der.integer(SMALLEST_RSA)))
        return general.cert_req_template(CertTemplate(), spec)

    def _current_list(self, asked: Info) -> Info:
        found = None if self._lists is None else self._lists.whole(self._office.issuer.generation.number)
        return Info(asked.type, None if found is None else found.der)

    def _newer_lists(self, asked: Info) -> Info:
        """Lists that are newer than those that the asker has (RFC 9483 section 4.3.4)."""
        statuses = general.read_crl_status_list(asked.value or b"")
        found = [(one, None if self._lists is None else self._lists.named(one.source)) for one in statuses]
        newer = [known.der for one, known in found if known is not None and is_newer(known, one)]
        return general.certificates(general.CRLS, newer)

    # what is an RA's alone

    async def _register(self, call: Call, asked: Info) -> bytes:
        by = _registrar(call)
        found = await register(self._office, _asked(registering.read(asked)), by=by)
        told = registering.write({
            "reference_number": found.reference,
            "authorization_code": found.code.reveal(),
            "expires": rfc3339(found.expires),
        })  # fmt: skip
        return await self._unkept(call, told, AuditLine(self._office.now(), "registered-by-ra", "ok"))

    async def _withdraw(self, call: Call, asked: Info) -> bytes:
        """The holder's codes are to be good for nothing (security D1)."""
        by = _registrar(call)
        state = await withdraw(self._office, withdrawing.read_asked(asked), by=by)
        line = AuditLine(self._office.now(), "withdrawn-by-ra", state)
        return await self._unkept(call, withdrawing.tell(state), line)

    async def _issued(self, call: Call, asked: Info) -> bytes:
        """Every certificate of one person (security D2)."""
        by = _registrar(call)
        told, count = await issued_to(self._office, issued.read_asked(asked))
        line = AuditLine(self._office.now(), "issued-told", "ok", json.dumps({"by": by, "count": count}))
        return await self._unkept(call, told, line)

    async def _on_behalf(self, call: Call, asked: Info, approving: Approving) -> bytes:
        """What two operators signed at the console (security D14); the RA only carries it."""
        by = _registrar(call)
        text, signatures = on_behalf.read_asked(asked)
        try:
            one = await approving(text.encode(), signatures)
        except Refusal as refused:
            raise CmpRefused(refused.code, FailInfo.BAD_REQUEST) from None
        line = AuditLine(self._office.now(), "on-behalf-told", "ok", json.dumps({"by": by}))
        return await self._unkept(call, on_behalf.tell(one.serial, one.state.value), line)

    async def _unkept(self, call: Call, told: Info, line: AuditLine) -> bytes:
        """The transaction is kept, and its answer is not: codes and names lie sealed or nowhere (D3)."""
        made = await self._answering.make(call.header, call.sender, general.write_general(BodyKind.GENP, [told]))
        await self._office.books.answer(replace(call.kept(self._office, made), answer=b""), line)
        return made.der


def _registrar(call: Call) -> str:
    """The serial of the RA that asks. Raises CmpRefused (cmp-not-authorized): somebody else does."""
    sender = call.sender
    if not isinstance(sender, Certified) or sender.role is not Role.REGISTRAR:
        raise CmpRefused("cmp-not-authorized", FailInfo.NOT_AUTHORIZED)
    return f"{sender.entry.serial:x}"


def _asked(pairs: Mapping[str, str]) -> Asked:
    """Raises CmpRefused (cmp-registration, badDataFormat) for unknown words."""
    known = {
        "profile",
        "operation",
        "name",
        "idn",
        "english",
        "branch",
        "mobile",
        "email",
        "hosts",
        "spki_sha256",
        "npki",
    }
    try:
        if not pairs.keys() <= known or pairs.get("npki", "yes") != "yes":
            raise ValueError
        hosts = tuple(pairs.get("hosts", "").split())
        facts = Facts(
            name=pairs["name"], idn=Secret(pairs.get("idn", "")), english=pairs.get("english", ""),
            branch=pairs.get("branch", ""), mobile=pairs.get("mobile", ""), email=pairs.get("email", ""), hosts=hosts,
        )  # fmt: skip
        spki = bytes.fromhex(pairs["spki_sha256"]) if "spki_sha256" in pairs else None
        operation = Operation(pairs.get("operation", "issue"))
        return Asked(pairs["profile"], facts, operation, spki, npki="npki" in pairs)
    except (KeyError, ValueError):
        raise CmpRefused("cmp-registration", FailInfo.BAD_DATA_FORMAT) from None
