"""The sandbox's verifying daemon: `python -m ingam.run.skverifyd --anchors DIR [--port 24098]`, on loopback alone.

It believes the Koscom brief whose certificate a given authority issued; of revocation it knows nothing. `--error NNNN`
refuses everything with these digits, `--dollar` puts one `$` too many into its answers.
"""

from __future__ import annotations

import argparse
import contextlib
import socketserver
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ingam.kernel.errors import Failure, Refusal
from ingam.npki import chain, cms_plain
from ingam.npki.certificate import Certificate
from ingam.npki.chain import Anchors
from ingam.protocols import skverify
from ingam.protocols.skverify import DaemonUnusable, Told
from ingam.run.cli import cert_status

SECONDS = 10.0
BAD_SIGNATURE, BAD_PATH, BAD_REQUEST = 2001, 2002, 1001


@dataclass(frozen=True, slots=True)
class Conduct:
    """How it behaves. `error` 0: it looks at what it is asked; `at` None: by the clock."""

    anchors: Anchors
    error: int = 0
    dollar: bool = False
    at: datetime | None = None

    def answer(self, body: bytes) -> bytes:
        """The frame that goes back."""
        opcode = body[0]
        if self.error and (opcode == skverify.OCSP or self.error not in range(4000, 5001)):
            return skverify.refused(opcode, self.error)
        try:
            found = cms_plain.verify_brief(skverify.question(body)[1])
        except DaemonUnusable:
            return skverify.refused(opcode, BAD_REQUEST)
        except Refusal:
            return skverify.refused(opcode, BAD_SIGNATURE)
        try:
            chain.validate(found.certificate, self.anchors, self.at or datetime.now(UTC))
        except Failure:
            return skverify.refused(opcode, BAD_PATH)
        return skverify.accepted(opcode, _told(found.certificate, found.content, "$" if self.dollar else ""))


def _told(one: Certificate, content: bytes, more: str) -> Told:
    aki = one.aki.key_id if one.aki is not None else None
    return Told(
        version="3",
        serial=f"{one.serial:X}",
        issuer=str(one.issuer),
        subject=str(one.subject),
        begins=f"{one.not_before:%Y%m%d%H%M%S}",
        ends=f"{one.not_after:%Y%m%d%H%M%S}",
        policy=one.policy_oid or "",
        crl=next(iter(one.crl_distribution_points), ""),
        aki=(aki or b"").hex(),
        ski=(one.ski or b"").hex(),
        public_key=one.spki.hex(),
        plaintext=content.decode(skverify.ENCODING, "replace") + more,
    )


class Server(socketserver.ThreadingTCPServer):
    """On loopback; port 0 takes a free one."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, conduct: Conduct) -> None:
        self.conduct = conduct
        super().__init__(("127.0.0.1", port), _Line)


class _Line(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """One question, one answer."""
        server = self.server
        assert isinstance(server, Server)
        self.request.settimeout(SECONDS)
        with contextlib.suppress(OSError, DaemonUnusable):
            body = self._read(skverify.length_of(self._read(skverify.HEAD)))
            self.request.sendall(server.conduct.answer(body))

    def _read(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            part: bytes = self.request.recv(count - len(found))
            if not part:
                raise DaemonUnusable("daemon-malformed")
            found += part
        return found


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="ingam.run.skverifyd", description=__doc__)
    parser.add_argument("--anchors", type=Path, required=True, metavar="DIR")
    parser.add_argument("--port", type=int, default=24_098)
    parser.add_argument("--error", type=int, default=0)
    parser.add_argument("--dollar", action="store_true")
    options = parser.parse_args(argv)
    held = [one for one in cert_status.trusted(options.anchors) if cert_status.is_authority(one)]
    with Server(options.port, Conduct(Anchors.sorted_out(held), options.error, options.dollar)) as server:
        print(f"127.0.0.1:{server.server_address[1]}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
