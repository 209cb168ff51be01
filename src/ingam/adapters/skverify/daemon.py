"""`ports.signed_messages.SignedMessages` over TCP: on this machine, or by TLS with certificates on both ends (A18)."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from ingam.kernel.errors import Refusal
from ingam.npki.certificate import Certificate
from ingam.protocols import skverify
from ingam.protocols.skverify import DaemonRefused, DaemonUnusable, Told

PORT: Final = 24_098
SECONDS: Final = 10.0
_OCSP_FAILED: Final = range(4000, 5001)


class DaemonAddressRefused(Refusal):
    """The daemon is on another machine and no tunnel with certificates on both ends is configured (A18)."""

    code = "daemon-address"


@dataclass(frozen=True, slots=True)
class Tunnel:
    """PEM files: whom we trust, and who we are. Both ends show a certificate."""

    ca: Path
    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer, the server's name checked. Raises DaemonAddressRefused."""
        try:
            made = ssl.create_default_context(cafile=str(self.ca))
            made.minimum_version = ssl.TLSVersion.TLSv1_2
            made.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError):
            raise DaemonAddressRefused from None
        return made


class Daemon:
    """One daemon at one address. Raises DaemonAddressRefused for one elsewhere without a tunnel."""

    def __init__(self, host: str, port: int = PORT, tunnel: Tunnel | None = None) -> None:
        if tunnel is None and not _is_here(host):
            raise DaemonAddressRefused
        self._address = (host, port)
        self._context = None if tunnel is None else tunnel.context()

    def verify(self, signed: bytes, certificate: Certificate) -> Told:
        """By OCSP; by a list only where the daemon's own OCSP failed."""
        try:
            told = self._asked(skverify.OCSP, signed)
        except DaemonRefused as refused:
            if int(str(refused.facts["error"])) not in _OCSP_FAILED:
                raise
            told = self._asked(skverify.CRL, signed)
        skverify.check_same(told, certificate)
        return told

    def _asked(self, opcode: int, signed: bytes) -> Told:
        try:
            question = skverify.request(opcode, signed)
            with socket.create_connection(self._address, SECONDS) as line:
                if self._context is None:
                    return skverify.answer(opcode, _exchanged(line, question))
                with self._context.wrap_socket(line, server_hostname=self._address[0]) as secured:
                    return skverify.answer(opcode, _exchanged(secured, question))
        except (OSError, ValueError):
            raise DaemonUnusable from None


def _exchanged(line: socket.socket, question: bytes) -> bytes:
    line.sendall(question)
    return _read(line, skverify.length_of(_read(line, skverify.HEAD)))


def _read(line: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = line.recv(count - len(found))
        if not part:
            raise DaemonUnusable("daemon-malformed")
        found += part
    return found


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
