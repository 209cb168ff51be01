"""`ingam cert verify PATH --form …`: a message that another system signed; the form is named, never guessed (A5)."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from typing import Any

from ingam.npki import cms, cms_plain
from ingam.npki.certificate import Certificate


def verified(options: argparse.Namespace, data: bytes, content: bytes | None) -> tuple[Certificate, bytes]:
    """Signer and content, once the signature holds; asks the daemon too, where one is named. Raises Failure."""
    found: cms.VerifiedSignature | cms_plain.PlainSignature
    if options.form == "attributes":
        found = cms.verify_data(cms.parse(data), content=content)
    elif options.form == "plain":
        found = cms_plain.verify_plain(data, content=content)
    else:
        found = cms_plain.verify_brief(data, content=content)
    if options.daemon is not None:
        _daemon(options).verify(data, found.certificate)
    return found.certificate, found.content


def told(options: argparse.Namespace, content: bytes) -> dict[str, Any]:
    """What `--json` adds: the form, whether a daemon confirmed it, and the content as text where it is one."""
    return {"form": options.form, "daemon": options.daemon, "content": text_of(content)}


def text_of(content: bytes) -> str | None:
    """The content as text: UTF-8, else CP949 as the field writes it; None for what is neither."""
    for encoding in ("utf-8", "cp949"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _daemon(options: argparse.Namespace) -> Any:
    """A `SignedMessages`, loaded when it is asked for: the bare package has no adapters."""
    adapter = import_module("ingam.adapters.skverify.daemon")
    host, _, port = str(options.daemon).rpartition(":")
    if not host:
        host, port = str(options.daemon), str(adapter.PORT)
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise adapter.DaemonAddressRefused
    files: list[Path | None] = [options.daemon_ca, options.daemon_certificate, options.daemon_key]
    given = [one for one in files if one is not None]
    if given and len(given) != 3:
        raise adapter.DaemonAddressRefused
    tunnel = adapter.Tunnel(*given) if given else None
    return adapter.Daemon(host.strip("[]"), int(port), tunnel)
