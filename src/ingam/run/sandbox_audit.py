"""Who watches the demo's audit from outside, in the sandbox's process: a witness and a time-stamp authority (G6)."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from ingam.ports.clock import Clock
from ingam.run import witness
from ingam.run.auditor import folder_of
from ingam.sandbox import tsa
from ingam.settings import Settings

NAME = "witness.ingam.test/sandbox"
STAMP = "application/timestamp-reply"


def prepare(settings: Settings) -> dict[str, str]:
    """Their keys, made once; what the auditor is told of them, as the environment's variables."""
    outside = f"http://localhost:{settings.port('sandbox')}"
    key = witness.public_key(NAME, settings.data / "sandbox" / "witness")
    return {
        "INGAM_AUDIT_WITNESSES": f"{key.text} {outside}/witness",
        "INGAM_AUDIT_TSA": f"{outside}/tsa",
        "INGAM_AUDIT_TSA_ROOTS": str(tsa.prepare(settings.data / "sandbox" / "tsa")),
    }


def routes(settings: Settings, clock: Clock) -> list[BaseRoute]:
    """Below the sandbox's origin; none where no audit has published its key yet."""
    published = folder_of(settings) / "published" / "key"
    if not published.exists():
        return []
    logs = witness.logs_of([published.read_text(encoding="utf-8").strip()])
    seeing = witness.file_witness(NAME, settings.data / "sandbox" / "witness", logs, clock)

    async def stamp(request: Request) -> Response:
        query = await request.body()
        folder = settings.data / "sandbox" / "tsa"
        answer = await asyncio.to_thread(tsa.reply, folder, query) if len(query) <= tsa.MOST else None
        return Response(status_code=400) if answer is None else Response(answer, media_type=STAMP)

    return [Mount("/witness", routes=witness.routes(seeing)), Route("/tsa", stamp, methods=["POST"])]
