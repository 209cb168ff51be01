"""`ingam ra`: make the center a registration authority of a certification authority, and see that it is one.

On the center's server `request` makes a key and asks for its certificate. On the authority's, `ingam ca issue --profile
ra` issues it and `ingam ca export` lays out what the center must know. Here again, `install` puts both in their place.
"""

from __future__ import annotations

import argparse
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ingam.ca.ceremony.holdings import is_issuer
from ingam.kernel.errors import Failure
from ingam.kernel.instants import rfc3339
from ingam.npki import certificate, shapes
from ingam.npki.certificate import Certificate, CertificateMalformed
from ingam.ports.signing import Intent, KeyKind, Signer, SigningKeys
from ingam.protocols.cmp import pkcs10
from ingam.run.cli import ca_place, ca_telling, examples, server
from ingam.settings import Settings
from ingam.wiring.certification import (
    Registrar,
    RegistrarRefused,
    next_key,
    registrar_folder,
    registrar_keys,
    write,
)
from ingam.wiring.certification import read as read_registrar

NAME: Final = "center"
_REQUESTED: Final = {"file": "파일 · file", "key": "키 · key", "next": "다음 · next"}
_NEXT: Final = "ingam ca issue --profile ra --name center --csr … --out …; ingam ca export --out …"
_SHOWN: Final = {
    "subject": "이름 · subject",
    "issuer": "인증기관 · authority",
    "key": "키 · key",
    "not_after": "만료 · until",
    "url": "주소 · address",
    "speakers": "응답 서명 인증서 · answers are signed by",
}


def main(argv: Sequence[str]) -> int:
    """Run `ingam ra …`; returns the exit code that --help documents."""
    try:
        options = _parser().parse_args(list(argv))
    except SystemExit as ended:
        return int(ended.code or 0)
    verbs: dict[str, Callable[[argparse.Namespace, Settings], None]] = {
        "request": _request, "install": _install, "status": _status
    }  # fmt: skip
    try:
        verbs[options.verb](options, server.settings_of(options))
    except Failure as failure:
        return ca_telling.tell_failure(failure, as_json=options.json)
    return ca_telling.DONE


def _parser() -> argparse.ArgumentParser:
    about = "인증센터를 인증기관의 등록기관으로 만듭니다 · make this center a registration authority"
    whole = argparse.ArgumentParser(
        prog="ingam ra", description=about, epilog=ca_telling.EXIT_CODES, allow_abbrev=False
    )
    verbs = whole.add_subparsers(dest="verb", required=True)
    request = verbs.add_parser("request", help="키를 만들고 인증서를 요청합니다 · a new key, and its PKCS #10 request")
    request.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the request goes, as PEM")
    install = verbs.add_parser(
        "install", help="발급받은 인증서를 놓습니다 · put the certificate that was issued in place"
    )
    install.add_argument("--certificate", required=True, metavar="FILE", help="of the RA, PEM or DER")
    text = "`ingam ca export`가 쓴 폴더 · the folder that `ingam ca export` wrote"
    install.add_argument("--authority", type=Path, required=True, metavar="DIR", help=text)
    text = "CMP 주소; 이름은 INGAM_ADDRESSES에 · address of its CMP; the name is looked up in INGAM_ADDRESSES"
    install.add_argument("--url", required=True, metavar="URL", help=text)
    verbs.add_parser("status", help="어느 인증기관의 등록기관인지 · whose RA this center is, and until when")
    for verb in verbs.choices.values():
        verb.add_argument("--data", type=Path, metavar="DIR", help="데이터 폴더 · the data folder (else INGAM_DATA)")
        verb.add_argument("--json", action="store_true", help="JSON으로 · as JSON")
    return examples.exampled(whole)


def _request(options: argparse.Namespace, settings: Settings) -> None:
    out = ca_place.absent(options.out)
    with closing(registrar_keys(settings)) as keys:
        name = next_key(keys)
        signer = keys.make(name, KeyKind.P_256)
        made = pkcs10.write(
            shapes.name(("CN", NAME)), signer.public.spki, signer.public.algorithm,
            lambda part: signer.sign(Intent.of(part)),
        )  # fmt: skip
    pem = ssl.DER_cert_to_PEM_cert(made).replace(" CERTIFICATE", " CERTIFICATE REQUEST")
    ca_place.write_new(out, pem.encode("ascii"))
    ca_telling.tell({"file": str(out), "key": name, "next": _NEXT}, _REQUESTED, as_json=options.json)


def _install(options: argparse.Namespace, settings: Settings) -> None:
    if urlsplit(options.url).hostname not in settings.addresses:
        raise RegistrarRefused(reason="address")
    own = _certificate(options.certificate)
    above = [one for one in _public(options.authority, "issuing") if is_issuer(one, own)]
    roots = [one for one in _public(options.authority, "root") if above and is_issuer(one, above[0])]
    speakers = [one for one in _public(options.authority, "cmp") if any(is_issuer(issuer, one) for issuer in above)]
    with closing(registrar_keys(settings)) as keys:
        name = _key_of(keys, own)
    found = Registrar(options.url, name, own, (*above[:1], *roots[:1]), tuple(speakers))
    write(registrar_folder(settings), found)
    ca_telling.tell(_told(found), _SHOWN, as_json=options.json)


def _status(options: argparse.Namespace, settings: Settings) -> None:
    found = read_registrar(registrar_folder(settings))
    if found is None:
        raise RegistrarRefused(reason="none")
    ca_telling.tell(_told(found), _SHOWN, as_json=options.json)


def _told(one: Registrar) -> dict[str, Any]:
    return {
        "subject": str(one.certificate.subject),
        "issuer": one.chain[0].subject.value("CN"),
        "key": one.key,
        "not_after": rfc3339(one.certificate.not_after),
        "url": one.url,
        "speakers": [speaker.subject.value("CN") for speaker in one.speakers],
    }


def _key_of(keys: SigningKeys, own: Certificate) -> str:
    """The key that the certificate is of. Raises RegistrarRefused."""
    for name, signer in _signers(keys):
        if signer.public.spki == own.spki:
            return name
    raise RegistrarRefused(reason="key")


def _signers(keys: SigningKeys) -> Iterator[tuple[str, Signer]]:
    for name in reversed(keys.names()):
        yield name, keys.signer(name)


def _public(folder: Path, use: str) -> list[Certificate]:
    """Certificates of a use as `ingam ca export` names them, newest first. Raises FileUnreadable."""
    return [_certificate(str(path)) for path in sorted(folder.glob(f"*-{use}-*.der"), reverse=True)]


def _certificate(name: str) -> Certificate:
    """From DER or PEM. Raises FileUnreadable."""
    found = ca_place.contents(name)
    try:
        if b"-----BEGIN CERTIFICATE-----" in found:
            text = found[found.index(b"-----BEGIN CERTIFICATE-----") :].decode("ascii")
            end = text.index("-----END CERTIFICATE-----") + len("-----END CERTIFICATE-----")
            found = ssl.PEM_cert_to_DER_cert(text[:end])
        return certificate.parse(found)
    except (ValueError, CertificateMalformed):
        raise ca_place.FileUnreadable(name=Path(name).name) from None
