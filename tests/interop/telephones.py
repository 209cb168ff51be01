"""Telephones that are not ours, as processes on loopback: sipp with a scenario, and baresip with its recordings."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from numpy.typing import NDArray

LOOPBACK = "127.0.0.1"
SCENARIO = Path(__file__).parent / "sip_telephone.xml"
MODULES = Path("/usr/lib/baresip/modules")
START_S = 20


def free(kind: int) -> int:
    """A port that nobody has."""
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind((LOOPBACK, 0))
        port: int = one.getsockname()[1]
        return port


def free_pair() -> int:
    """A port for UDP and TCP that nobody has, and nobody the next one for TCP."""
    while True:
        port = free(socket.SOCK_STREAM)
        try:
            for kind, number in ((socket.SOCK_DGRAM, port), (socket.SOCK_STREAM, port), (socket.SOCK_STREAM, port + 1)):
                with socket.socket(socket.AF_INET, kind) as one:
                    one.bind((LOOPBACK, number))
        except (OSError, OverflowError):
            continue
        return port


async def listening(port: int, kind: str) -> None:
    """Somebody has this port: /proc/net/udp or tcp."""
    wanted, until = f":{port:04X}", time.monotonic() + START_S
    while not any(line.split()[1].endswith(wanted) for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]):
        assert time.monotonic() < until, f"nobody listens at {port}"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def process(folder: Path, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Ended at the end, however that comes; what it prints is in out.txt."""
    with (folder / "out.txt").open("wb") as out:
        one = await asyncio.create_subprocess_exec(
            *words, cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=asyncio.subprocess.STDOUT
        )
    try:
        yield one
    finally:
        with suppress(ProcessLookupError):
            one.terminate()
        try:
            await asyncio.wait_for(one.wait(), START_S)
        except TimeoutError:
            one.kill()
            await one.wait()


def raw() -> bool:
    """Whether this process may send raw packets, by which sipp presses keys."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP).close()
    except PermissionError:
        return False
    return True


@asynccontextmanager
async def sipp(
    folder: Path, transport: str, keys_at: int | None = None
) -> AsyncIterator[tuple[int, asyncio.subprocess.Process]]:
    """Takes one call: its port, and the process, which ends with 0 after a whole one.

    `keys_at`: the port of somebody else who speaks and presses keys in its place.
    """
    kind = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM}[transport]
    port, media = free(kind), free(socket.SOCK_DGRAM)
    told, scenario = SCENARIO.read_text(encoding="utf-8"), folder / "scenario.xml"
    if keys_at is not None:
        told = re.sub(r"<pause[^>]*>\s*<nop>.*?</nop>", "", told).replace("[media_port]", str(keys_at))
    scenario.write_text(told, encoding="utf-8")
    words = ("sipp", "-sf", str(scenario), "-i", LOOPBACK, "-p", str(port), "-mi", LOOPBACK, "-mp", str(media))
    async with process(folder, *words, "-m", "1", "-nostdin", "-t", {"udp": "u1", "tcp": "t1"}[transport]) as one:
        await listening(port, transport)
        yield port, one


class Baresip:
    """Its control line, and what it recorded. `address`: what it says of itself in SDP, one of this machine's."""

    def __init__(self, folder: Path, port: int, way: asyncio.StreamWriter) -> None:
        self.port = port
        self._folder = folder
        told = re.search(r"IPv4=[^|]*\|([0-9.]+)", (folder / "out.txt").read_text(errors="replace"))
        self.address = told[1] if told else LOOPBACK
        self._way = way

    def do(self, command: str, parameters: str = "") -> None:
        """`accept`, `sndcode 4` …"""
        told = json.dumps({"command": command, "params": parameters}).encode()
        self._way.write(b"%d:%s," % (len(told), told))

    async def over(self) -> None:
        """The call is over and its recording is whole."""
        until = time.monotonic() + START_S
        while "session closed" not in (self._folder / "out.txt").read_text(errors="replace"):
            assert time.monotonic() < until, "nobody hung up"
            await asyncio.sleep(0.02)

    def heard(self) -> NDArray[np.float64]:
        """The recording of what it heard, 8 kHz, -1…1."""
        [file] = self._folder.glob("dump-*-dec.wav")
        with wave.open(str(file)) as one:
            assert (one.getframerate(), one.getnchannels(), one.getsampwidth()) == (8000, 1, 2)
            return np.frombuffer(one.readframes(one.getnframes()), "<i2") / 32768


@asynccontextmanager
async def baresip(folder: Path) -> AsyncIterator[Baresip]:
    """Over TLS with a certificate of `folder`/ca.pem, and SRTP only: TLS listens beside its UDP port."""
    sip, control, media = free_pair(), free(socket.SOCK_STREAM), free(socket.SOCK_DGRAM)
    certificate(folder)
    (folder / "config").write_text(
        f"sip_listen 0.0.0.0:{sip}\nsip_certificate {folder}/own.pem\nmodule_path {MODULES}\n"
        "module g711.so\nmodule srtp.so\nmodule aubridge.so\nmodule sndfile.so\n"
        f"snd_path {folder}\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n"
        f"ctrl_tcp_listen {LOOPBACK}:{control}\nrtp_ports {media - media % 2}-{media + 40}\n"
        "audio_player aubridge,nil\naudio_source aubridge,nil\naudio_alert aubridge,nil\naudio_buffer 40-4000\n"
    )
    (folder / "accounts").write_text(
        f"<sip:01085130001@{LOOPBACK}>;regint=0;answermode=manual;audio_codecs=pcmu;mediaenc=srtp-mand\n"
    )
    (folder / "contacts").write_text("")
    async with process(folder, "baresip", "-f", str(folder)):
        await listening(sip + 1, "tcp")
        await listening(control, "tcp")
        _, way = await asyncio.open_connection(LOOPBACK, control)
        try:
            yield Baresip(folder, sip + 1, way)
        finally:
            way.close()
            await way.wait_closed()


def addresses() -> set[str]:
    """Loopback, and the address that leads out of this machine, where one does; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.connect(("203.0.113.1", 9))
        except OSError:
            return {LOOPBACK}
        return {LOOPBACK, one.getsockname()[0]}


def certificate(folder: Path) -> None:
    """`own.pem` (key and certificate) and `ca.pem` (the certificate, of itself) for this machine's addresses."""
    key, name, now = ec.generate_private_key(ec.SECP256R1()), "trunk.test", datetime.now(UTC)
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(one)) for one in addresses()]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    own = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "own.pem").write_bytes(own + made.public_bytes(serialization.Encoding.PEM))
