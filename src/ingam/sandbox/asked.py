"""What a program asks a party of issuance: one JSON object or one form, and texts out of it."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request


async def json_object(request: Request) -> dict[str, Any]:
    """The body; {} where it is no JSON object."""
    try:
        found = json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


async def form_texts(request: Request) -> dict[str, str]:
    """The texts of a form, urlencoded or multipart."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


def text(given: object, name: str) -> str:
    """A text of an object, "" for anything else."""
    value = given.get(name) if isinstance(given, dict) else None
    return value if isinstance(value, str) else ""
