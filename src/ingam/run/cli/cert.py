"""`ingam cert`: joint certificates on this machine, with npki and kernel alone; keys and passwords never leave it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from ingam.kernel.errors import Failure, Refusal
from ingam.kernel.instants import korean_day, rfc3339
from ingam.kernel.words import say
from ingam.npki import cert_password, certificate, cms, cms_plain, folder, key_file, pfx, policies, subject
from ingam.npki.certificate import Certificate
from ingam.npki.folder import Found, Part
from ingam.npki.private_key import PrivateKey
from ingam.run.cli import answers, cert_facts, cert_message, cert_options, cert_status, passwords

NEAR: Final = timedelta(days=30)
MOST_INPUT: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Opened:
    """What PATH holds after its password: the signing pair, and the pair for encryption where it opens too."""

    owner: Certificate = field(repr=False)
    key: PrivateKey
    km: tuple[bytes, PrivateKey] | None = field(default=None, repr=False)
    others: tuple[bytes, ...] = field(default=(), repr=False)


def main(argv: Sequence[str]) -> int:
    """Runs `ingam cert …`; returns the exit code that --help documents."""
    lang = answers.language(cert_options.early_language(argv), os.environ)
    try:
        options = cert_options.parser(lang, RUNS).parse_args(list(argv))
    except SystemExit as ended:
        return int(ended.code or 0)
    options.lang = lang
    try:
        code: int = options.run(options)
    except Failure as failure:
        return answers.tell_failure(failure, lang, as_json=options.json)
    return code


def list_found(options: argparse.Namespace) -> int:
    """`list [DIR]`: everything below a folder, or in the usual places of this system."""
    if options.dir:
        places = [options.dir]
    else:
        plugged = folder.mounts(sys.platform, os.environ)
        places = folder.existing(folder.default_places(sys.platform, os.environ, plugged))
    scans = [folder.scan(place) for place in places]
    rows = [_listed(found, options) for one in scans for found in one.found]
    passed = [{"path": str(one.path), "code": one.code} for scan in scans for one in scan.unreadable]
    complete = all(one.complete for one in scans)
    if options.json:
        places_told = [str(place) for place in places]
        answers.tell_json({"places": places_told, "found": rows, "passed_over": passed, "complete": complete})
        return answers.DONE
    if rows:
        columns = ("use", "display_name", "until", "issuer_name", "state_text", "path")
        head = [say(f"cert.head_{name}", options.lang) for name in columns]
        answers.tell_table(head, [[str(row[name] or "") for name in columns] for row in rows])
    else:
        print(say("cert.none_found", options.lang))
    for one in passed:
        answers.tell_aside(f"{answers.failure_text(Refusal(one['code']), options.lang)}: {one['path']}")
    if not complete:
        print(say("cert.list_cut", options.lang), file=sys.stderr)
    return answers.DONE


def show(options: argparse.Namespace) -> int:
    """`show PATH`: what the certificate says, and of the key what its file says; with the password, R and the match."""
    found = folder.read(options.path)
    file = key_file.describe(found.key) if found.key is not None else None
    key: PrivateKey | None = None
    owner = certificate.parse(found.certificate) if found.certificate is not None else None
    if owner is None or passwords.given_or_terminal(options):
        password = passwords.ask(options).password
        # An empty line at the prompt means: only what can be told without.
        if owner is None or password or passwords.given(options):
            owner, key = _owner_and_key(found, owner, password.reveal())
    told = _described(owner, options) | {
        "key": {
            "variant": file.variant if file else "pfx",
            "iterations": file.iterations if file else None,
            "prf": file.prf if file else None,
            "bits": key.bits if key else owner.public_key.bits,
            "has_r": key.has_random if key else None,
        },
        "matches": key.matches(*owner.public_key) if key else None,
        "has_km": found.km_key is not None,
        "path": str(options.path),
        "all": cert_facts.every(owner) if options.all else None,
    }
    _tell_shown(told, options)
    return answers.MISMATCH if told["matches"] is False else answers.DONE


def verify(options: argparse.Namespace) -> int:
    """`verify PATH`: the path to an anchor at an instant, and the status where it is asked for."""
    if options.form is not None:
        return _verify_message(options)
    found = folder.read(options.path)
    matches = None
    if found.certificate is None or options.password_stdin or options.password_file:
        opened = _open(found, passwords.ask(options).password.reveal())
        owner, matches = opened.owner, True
    else:
        owner = certificate.parse(found.certificate)
    checked = cert_status.check(
        owner,
        anchors=options.anchors,
        at=options.at or datetime.now(UTC),
        crl=options.crl,
        online=options.online,
        address=options.ocsp_url,
    )
    told = {"valid": True, "subject": str(owner.subject), "matches": matches} | checked
    if options.json:
        answers.tell_json(told)
        return answers.DONE
    print(answers.visible(say("cert.valid_path", options.lang, path=" → ".join(checked["path"]))))
    source = checked["status"]["source"]
    print(say(f"cert.status_{source or 'unchecked'}", options.lang))
    if checked["authority_status"] != "good":
        print(say("cert.authority_unchecked", options.lang))
    return answers.DONE


def _verify_message(options: argparse.Namespace) -> int:
    """`verify PATH --form …`: a message that somebody signed; its signature, then the signer's path and status."""
    content = None if options.input is None else _read(options.input)
    owner, signed = cert_message.verified(options, _read(options.path), content)
    checked = cert_status.check(
        owner,
        anchors=options.anchors,
        at=options.at or datetime.now(UTC),
        crl=options.crl,
        online=options.online,
        address=options.ocsp_url,
    )
    if options.json:
        answers.tell_json(
            {"valid": True, "subject": str(owner.subject)} | cert_message.told(options, signed) | checked
        )  # fmt: skip
        return answers.DONE
    print(answers.visible(say("cert.message_by", options.lang, name=str(owner.subject), form=options.form)))
    print(answers.visible(say("cert.valid_path", options.lang, path=" → ".join(checked["path"]))))
    print(say(f"cert.status_{checked['status']['source'] or 'unchecked'}", options.lang))
    print(answers.visible(cert_message.text_of(signed) or say("cert.message_bytes", options.lang, n=len(signed))))
    return answers.DONE


def change_password(options: argparse.Namespace) -> int:
    """`change-password PATH`: the same key bytes under a new password; the certificate stays as it is."""
    found = folder.read(options.path)
    asked = passwords.ask(options, new=True)
    if asked.new is None:
        raise passwords.PasswordNeeded
    old, new = asked.password.reveal(), _acceptable(asked.new.reveal())
    opened = _open(found, old)
    if found.pfx is not None:
        _write(options.path, _pfx_of(opened, new), force=True)
    else:
        # Every file is made before the first one is written.
        changed = {part: key_file.change_password(found.contents[part], old, new) for part in _keys_of(opened)}
        for part, data in changed.items():
            _write(found.files[part], data, force=True)
    if found.km_key is not None and opened.km is None:
        print(say("cert.km_left", options.lang), file=sys.stderr)
    return _done(options, "cert.password_changed", path=str(options.path))


def export(options: argparse.Namespace) -> int:
    """`export PATH --pfx OUT`: a .pfx that keeps R; --for-backup makes it strong instead of widely readable."""
    found = folder.read(options.path)
    password = passwords.ask(options).password.reveal()
    _write(options.pfx, _pfx_of(_open(found, password), password, for_backup=options.for_backup), force=options.force)
    strength = "cert.exported_backup" if options.for_backup else "cert.exported"
    return _done(options, strength, path=str(options.pfx))


def import_pfx(options: argparse.Namespace) -> int:
    """`import IN.pfx DIR`: signCert.der and signPri.key in DIR, or in its place below an NPKI folder."""
    found = folder.read(options.file)
    if found.pfx is None:
        raise pfx.DamagedPfx(where="file")
    password = passwords.ask(options).password.reveal()
    opened = _open(found, password)
    where = folder.pair_folder(options.dir, opened.owner) if options.dir.name.casefold() == "npki" else options.dir
    sealed = key_file.seal_key(bytes(opened.key.pkcs8.reveal()), password, options.variant)
    km = None
    if opened.km is not None:
        km_certificate, km_key = opened.km
        km = (km_certificate, key_file.seal_key(bytes(km_key.pkcs8.reveal()), password, options.variant))
    folder.save_pair(where, opened.owner.der, sealed, km=km, replace=options.force)
    if _state(opened.owner, options.at or datetime.now(UTC)) == "expired":
        print(say("cert.import_expired", options.lang), file=sys.stderr)
    return _done(options, "cert.imported", path=str(where))


def sign(options: argparse.Namespace) -> int:
    """`sign PATH --in FILE`: CMS with signed attributes, unless another form is asked for by name (security A5)."""
    found = folder.read(options.path)
    content = _read(options.input)
    opened = _open(found, passwords.ask(options).password.reveal())
    key = opened.key.signing_key()
    if options.form == "attributes":
        signed = cms.sign_data(content, opened.owner, key, signing_time=options.at or datetime.now(UTC))
    else:
        form = cms_plain.sign_plain if options.form == "plain" else cms_plain.sign_brief
        signed = form(content, opened.owner, key)
    if options.out and str(options.out) == "-":
        sys.stdout.buffer.write(signed)
        return answers.DONE
    out = options.out or options.input.with_name(options.input.name + ".p7s")
    _write(out, signed, force=options.force)
    return _done(options, "cert.signed", path=str(out))


def _open(found: Found, password: bytes) -> Opened:
    """The signing pair, whose key belongs to its certificate. Raises KeyMismatch and what opening raises."""
    if found.pfx is not None:
        held = pfx.open_pfx(found.pfx, password)
        pair, *more = held.pairs() or [held.require_pair()]
        km = (more[0].certificate, more[0].key) if more else None
        used = {pair.certificate, *(one.certificate for one in more)}
        others = tuple(one for one in held.certificates if one not in used)
        return Opened(certificate.parse(pair.certificate), pair.key, km, others)
    if found.certificate is None or found.key is None:
        raise folder.FolderRefused("folder-without-pair")
    owner, key = certificate.parse(found.certificate), key_file.open_key(found.key, password)
    key.require_match(*owner.public_key)
    return Opened(owner, key, _open_km(found, password))


def _open_km(found: Found, password: bytes) -> tuple[bytes, PrivateKey] | None:
    """The pair for encryption, where it is there and this password opens it; it may have one of its own."""
    if found.km_certificate is None or found.km_key is None:
        return None
    try:
        key = key_file.open_key(found.km_key, password)
        key.require_match(*certificate.parse(found.km_certificate).public_key)
    except Refusal:
        return None
    return found.km_certificate, key


def _owner_and_key(found: Found, owner: Certificate | None, password: bytes) -> tuple[Certificate, PrivateKey]:
    """Both, matching or not: `show` tells a mismatch instead of failing on it."""
    if owner is not None and found.key is not None:
        return owner, key_file.open_key(found.key, password)
    opened = _open(found, password)
    return opened.owner, opened.key


def _keys_of(opened: Opened) -> list[Part]:
    return [Part.KEY, Part.KM_KEY] if opened.km is not None else [Part.KEY]


def _pfx_of(opened: Opened, password: bytes, *, for_backup: bool = False) -> bytes:
    pairs = [(opened.owner.der, bytes(opened.key.pkcs8.reveal()))]
    if opened.km is not None:
        pairs.append((opened.km[0], bytes(opened.km[1].pkcs8.reveal())))
    return pfx.write_pfx(pairs, password, others=opened.others, for_backup=for_backup)


def _acceptable(new: bytes) -> bytes:
    try:
        return cert_password.check_new(new.decode("utf-8"))
    except UnicodeDecodeError:
        raise cert_password.WeakPassword("cert-password-ascii") from None


def _described(owner: Certificate, options: argparse.Namespace) -> dict[str, Any]:
    policy = policies.lookup(owner.issuer, owner.policy_oid)
    name = None if policy is None else (policy.name_ko if options.lang == "ko" else policy.name_en)
    return {
        "subject": str(owner.subject),
        "display_name": subject.display_name(owner.subject),
        "issuer": str(owner.issuer),
        "issuer_name": policies.issuer_name(owner.issuer, options.lang),
        "serial": owner.serial,
        "serial_hex": f"{owner.serial:x}",
        "policy": {"oid": owner.policy_oid, "name": name},
        "not_before": rfc3339(owner.not_before),
        "not_after": rfc3339(owner.not_after),
        "state": _state(owner, options.at or datetime.now(UTC)),
        "fingerprint_sha256": owner.fingerprint.hex(),
    }


def _state(owner: Certificate, at: datetime) -> str:
    if at < owner.not_before:
        return "not-yet"
    if at > owner.not_after:
        return "expired"
    return "near-expiry" if at > owner.not_after - NEAR else "current"


def _listed(found: Found, options: argparse.Namespace) -> dict[str, Any]:
    """A row of `list`; of a .pfx only its path is known without a password, of a damaged certificate its code."""
    unknown = dict.fromkeys(("use", "display_name", "until", "issuer_name"))
    row: dict[str, Any] = {"path": str(found.path), "ca_folder": found.ca_folder}
    if found.certificate is None:
        return row | unknown | {"state": "pfx", "state_text": say("cert.state_pfx", options.lang)}
    try:
        owner = certificate.parse(found.certificate)
        told = _described(owner, options)
    except Refusal as refused:
        text = answers.failure_text(refused, options.lang)
        return row | unknown | {"state": refused.code, "state_text": text}
    return (
        row
        | told
        | {
            "use": told["policy"]["name"] or told["policy"]["oid"],
            "until": korean_day(owner.not_after),
            "state_text": say(f"cert.state_{told['state'].replace('-', '_')}", options.lang),
        }
    )


def _tell_shown(told: dict[str, Any], options: argparse.Namespace) -> None:
    if options.json:
        answers.tell_json(told)
        return
    key, policy = told["key"], told["policy"]
    yes_no = {True: say("cert.yes", options.lang), False: say("cert.no", options.lang)}
    unknown = say("cert.needs_password", options.lang)
    values = {
        "display_name": told["display_name"],
        "use": f"{policy['name'] or ''} {policy['oid'] or ''}".strip(),
        "issuer_name": told["issuer_name"],
        "validity": f"{told['not_before']} – {told['not_after']}",
        "state_text": say(f"cert.state_{told['state'].replace('-', '_')}", options.lang),
        "subject": told["subject"],
        "issuer": told["issuer"],
        "serial": f"{told['serial']} ({told['serial_hex']})",
        "fingerprint": told["fingerprint_sha256"],
        "key": " · ".join(str(part) for part in (key["variant"], key["prf"], key["iterations"], key["bits"]) if part),
        "has_r": yes_no.get(key["has_r"], unknown),
        "matches": yes_no.get(told["matches"], unknown),
    } | cert_facts.rows(told["all"] or {})
    answers.tell_rows([(say(f"cert.head_{name}", options.lang), str(value)) for name, value in values.items()])


def _done(options: argparse.Namespace, key: str, **facts: str) -> int:
    if options.json:
        answers.tell_json({"done": True, **facts})
    else:
        print(answers.visible(say(key, options.lang, **facts)))
    return answers.DONE


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as opened:
            data = opened.read(MOST_INPUT + 1)
    except OSError:
        raise folder.FolderRefused("folder-unreadable") from None
    if len(data) > MOST_INPUT:
        raise folder.FolderRefused("file-too-large", most=MOST_INPUT)
    return data


def _write(path: Path, data: bytes, *, force: bool) -> None:
    if path.exists() and not force:
        raise Refusal("file-exists")
    try:
        folder.replace_file(path, data)
    except OSError:
        raise folder.FolderRefused("folder-unreadable") from None


RUNS: Final = {
    "list": list_found,
    "show": show,
    "verify": verify,
    "change-password": change_password,
    "export": export,
    "import": import_pfx,
    "sign": sign,
}
"""Every verb of `ingam cert`."""
