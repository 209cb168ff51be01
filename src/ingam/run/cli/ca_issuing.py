"""`ingam ca register` and `issue`: a holder is entered for a code; a server's or service's certificate is made at once.

`register` opens no private key. `issue` goes the way of every certificate: intent, signature, record, log.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import ssl
from argparse import Namespace
from datetime import timedelta
from typing import Any, Final

from ingam.ca.facts import Facts
from ingam.ca.issuing.registering import Asked, register
from ingam.ca.issuing.service import Exchange, Holder, Issuing
from ingam.ca.profiles import Customer, Operation, Profile
from ingam.kernel.errors import Defect, Refusal
from ingam.kernel.instants import rfc3339
from ingam.kernel.secret import Secret
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.ports.books import StandingRefused, State
from ingam.protocols.cmp import pkcs10
from ingam.protocols.cmp.cert_response import P10CR_CERT_REQ_ID
from ingam.protocols.cmp.message import BodyKind
from ingam.protocols.cmp.status import CmpRefused, FailInfo
from ingam.run.cli import ca_place, ca_telling
from ingam.run.cli.ca_place import desk
from ingam.settings import Settings
from ingam.wiring.authority import CaPorts

BY: Final = "cli"
SENDER: Final = hashlib.sha256(b"cli").digest()
"""Who asks, in the books' exchanges: nobody of the network has this digest."""

KEPT: Final = timedelta(hours=1)
"""So long the same command again gives the same certificate, as where its file could not be written."""

_PEM: Final = re.compile(
    rb"-----BEGIN (NEW )?CERTIFICATE REQUEST-----(.*?)-----END (?:NEW )?CERTIFICATE REQUEST-----", re.S
)
_IDN: Final = "주민·사업자등록번호 · registration number: "
_CODE: Final = "인가코드 · authorization code: "
_REGISTERED: Final = {
    "reference_number": "참조번호 · reference number",
    "authorization_code": "인가코드 · authorization code",
    "expires": "유효기한 · expires",
}
_ISSUED: Final = {
    "file": "파일 · file",
    "ca": "발급 세대 · CA generation",
    "serial": "일련번호 · serial",
    "subject": "주체 · subject",
    "not_before": "시작 · from",
    "not_after": "만료 · until",
    "sha256": "SHA-256",
}


class PersonsProfile(Refusal):
    """A person's certificate is not made at once: it is registered, and asked for with the person's own key."""

    code = "ca-issue-person"


def enter(options: Namespace) -> int:
    """`register`: prints the reference number and, this once, the authorization code."""
    told = asyncio.run(_registered(ca_place.settings_of(options), asked(options)))
    ca_telling.tell(told, _REGISTERED, as_json=options.json)
    return ca_telling.DONE


def asked(options: Namespace) -> Asked:
    """What the options say of a holder. Raises InputMissing."""
    idn = ca_place.hidden(options.idn, "--idn", _IDN)
    code = None if options.code is None else ca_place.hidden(options.code, "--code", _CODE)
    return Asked(
        profile=options.profile,
        facts=_facts(
            options, Secret(idn.reveal().replace("-", "")), mobile=options.mobile or "", email=options.email or ""
        ),
        operation=Operation.REISSUE if options.reissue else Operation.ISSUE,
        spki_hash=options.spki_sha256,
        reusable=options.reusable,
        reference=options.reference,
        code=code,
        npki=options.npki,
    )


def issue(options: Namespace) -> int:
    """`issue`: a certificate for the key of a PKCS #10 request, valid at once."""
    ca_place.absent(options.out)
    request = read_request(options.csr)
    settings = ca_place.unlocked(ca_place.settings_of(options))
    issued, above, ca = asyncio.run(_issued(settings, options, request))
    der = options.out.suffix.lower() in (".der", ".cer")
    chain = [issued, above] if options.chain else [issued]
    ca_place.write_new(options.out, issued.der if der else b"".join(map(pem, chain)))
    ca_telling.tell({"file": str(options.out), "ca": ca, **described(issued)}, _ISSUED, as_json=options.json)
    return ca_telling.DONE


def read_request(name: str) -> bytes:
    """The DER of a PKCS #10 in a file, DER or PEM. Raises FileUnreadable, CmpRefused (cmp-malformed)."""
    data = ca_place.contents(name)
    found = _PEM.search(data)
    if found is None:
        return data
    try:
        armoured = found[0].replace(b" NEW ", b" ").replace(b"CERTIFICATE REQUEST", b"CERTIFICATE")
        return ssl.PEM_cert_to_DER_cert(armoured.decode("ascii"))
    except ValueError:
        raise CmpRefused("cmp-malformed", FailInfo.BAD_DATA_FORMAT) from None


def pem(one: Certificate) -> bytes:
    """A certificate as PEM (RFC 7468)."""
    return ssl.DER_cert_to_PEM_cert(one.der).encode("ascii")


def described(one: Certificate) -> dict[str, Any]:
    """What is told of a certificate that is no person's."""
    return {
        "serial": f"{one.serial:x}",
        "subject": str(one.subject),
        "not_before": rfc3339(one.not_before),
        "not_after": rfc3339(one.not_after),
        "sha256": one.fingerprint.hex(),
    }


async def _registered(settings: Settings, wanted: Asked) -> dict[str, Any]:
    indexed = bool(wanted.facts.idn) and not wanted.reusable
    async with desk(settings, index=indexed) as ports:
        made = await register(ports.office, wanted, by=BY)
    return {
        "reference_number": made.reference,
        "authorization_code": made.code.reveal(),
        "expires": rfc3339(made.expires),
    }


async def _issued(settings: Settings, options: Namespace, request: bytes) -> tuple[Certificate, Certificate, int]:
    """The certificate, its issuer's, and the issuer's generation."""
    async with desk(settings, keys=True) as ports:
        office = ports.office
        profile = office.authority.profile(options.profile)
        if profile.customer is not Customer.NONE:
            raise PersonsProfile
        proven = pkcs10.verify(pkcs10.parse(request))
        holder = Holder(profile, Operation.ISSUE, _facts(options, Secret("")), person=None)
        answer = await Issuing(office).issue(_exchange(ports, options, profile, request), holder, proven.spki, None)
        return _found(ports, certificate.parse(answer))


def _found(ports: CaPorts, issued: Certificate) -> tuple[Certificate, Certificate, int]:
    """As it stands: the answer to a command given again may be of an earlier generation, or revoked meanwhile."""
    for one in ports.office.issuers:
        if one.certificate.subject.raw == issued.issuer.raw:
            standing = ports.books.standing(one.generation.number, issued.serial)
            if standing is not None and standing.state is not State.VALID:
                raise StandingRefused(found=standing.state.value)
            return issued, one.certificate, one.generation.number
    raise Defect("ca-generation-unknown")


def _exchange(ports: CaPorts, options: Namespace, profile: Profile, request: bytes) -> Exchange:
    """One for each command: the very same one after a crash finds its intent, and signs the same bytes."""
    words = (profile.name, options.holder_name, options.english, options.branch, options.number, *options.hosts)
    digest = hashlib.sha256("\n".join(words).encode() + b"\n" + request).digest()

    async def answer(der: bytes) -> tuple[bytes, bytes]:
        return der, ports.office.random(16)

    return Exchange(
        sender=SENDER, transaction=digest[:16], request_hash=digest, implicit=True, answer=answer, kept_for=KEPT,
        body=int(BodyKind.CP), request_id=P10CR_CERT_REQ_ID,
    )  # fmt: skip


def _facts(options: Namespace, idn: Secret[str], **contact: str) -> Facts:
    return Facts(
        name=options.holder_name, idn=idn, number=options.number, english=options.english, branch=options.branch,
        hosts=tuple(options.hosts), **contact,
    )  # fmt: skip
