"""A witness: co-signs heads of logs it serves, remembers the last of each, and refuses whoever forgot or changed.

`python -m ingam.run.witness --port 9000 --folder W --name witness.example --log LOGKEY …` belongs on a machine of
somebody else than the log's operator. The demo's stands in the sandbox's process.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ingam.adapters.clock.system import SystemClock
from ingam.adapters.hsm.key_files import read_or_make
from ingam.ca.log.witness import FileWitness
from ingam.kernel.errors import Failure, Outage
from ingam.ports.clock import Clock
from ingam.protocols.log import keys
from ingam.protocols.log.keys import LogKey
from ingam.protocols.log.witnessing import MOST_REQUEST
from ingam.run.http import BoundedHttp

SIZE: Final = "text/x.tlog.size"
STATUS: Final = {
    "log-other-origin": 404, "log-head-unsigned": 403, "log-head-signature": 403, "log-witness-size": 409,
    "log-forked": 422,
}  # fmt: skip
"""HTTP status of a refusal (C2SP tlog-witness); every other one is 400, an outage 503."""


def file_witness(name: str, folder: Path, logs: Mapping[str, Sequence[LogKey]], clock: Clock) -> FileWitness:
    """The witness of a folder; its key is made at the first start. Raises KeyFileRefused."""
    return FileWitness(name, Ed25519PrivateKey.from_private_bytes(_seed(folder)), logs, folder / "heads", clock)


def public_key(name: str, folder: Path) -> keys.WitnessKey:
    """What its co-signatures are checked with."""
    return keys.witness_key(name, Ed25519PrivateKey.from_private_bytes(_seed(folder)))


def _seed(folder: Path) -> bytes:
    return read_or_make(folder / "witness.key", ("witness",))["witness"]


def routes(witness: FileWitness) -> list[Route]:
    """add-checkpoint, the last head of a log, and the witness's own key."""

    async def add(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_REQUEST:
                return PlainTextResponse("", 413)
        return await asyncio.to_thread(_cosigned, witness, bytes(body))

    async def head(request: Request) -> Response:
        return await asyncio.to_thread(_remembered, witness, request.query_params.get("origin", ""))

    async def key(_request: Request) -> Response:
        return PlainTextResponse(f"{witness.key.text}\n")

    return [Route("/add-checkpoint", add, methods=["POST"]), Route("/head", head), Route("/key", key)]


def _cosigned(witness: FileWitness, body: bytes) -> Response:
    try:
        return PlainTextResponse(witness.cosign(body.decode("utf-8")))
    except UnicodeDecodeError:
        return PlainTextResponse("", 400)
    except Outage as outage:
        return PlainTextResponse(outage.code, 503)
    except Failure as refused:
        if refused.code == "log-witness-size":
            return Response(str(refused.facts["size"]), 409, media_type=SIZE)
        return PlainTextResponse(refused.code, STATUS.get(refused.code, 400))


def _remembered(witness: FileWitness, origin: str) -> Response:
    try:
        text = witness.note(origin)
    except Outage as outage:
        return PlainTextResponse(outage.code, 503)
    return PlainTextResponse("", 404) if text is None else PlainTextResponse(text)


def logs_of(texts: Sequence[str]) -> dict[str, list[LogKey]]:
    """Keys of logs by their origins. Raises KeyMalformed."""
    found: dict[str, list[LogKey]] = {}
    for text in texts:
        key = keys.parse(text)
        if not isinstance(key, LogKey):
            raise keys.KeyMalformed
        found.setdefault(key.name, []).append(key)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal. 0 when told to stop, 2 usage."""
    parser = argparse.ArgumentParser(prog="ingam.run.witness", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--name", required=True, help="its name for ever, as witness.example/1")
    parser.add_argument("--log", action="append", default=[], required=True, help="the key of a log that it serves")
    options = parser.parse_args(argv)
    try:
        witness = file_witness(options.name, options.folder, logs_of(options.log), SystemClock())
    except Failure as failure:
        parser.exit(2, f"{failure}\n")
    print(f"{witness.key.text}", flush=True)
    uvicorn.run(
        Starlette(routes=routes(witness)), host=options.host, port=options.port, http=BoundedHttp, log_config=None,
        access_log=False, server_header=False, ws="none",
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
