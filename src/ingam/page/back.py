"""Where a person came from: a path on this origin and nothing else, with what its address says of the page."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request

KEPT: Final = ("way", "then", "done", "report")
"""What of a query belongs to the page that is shown, and does nothing when it is asked for again."""

# A path on this origin: one slash, then neither a second one nor a backslash (browsers read both as a host).
_LOCAL = re.compile(r"/(?:[A-Za-z0-9._~%=&?-][A-Za-z0-9/._~%=&?#-]*)?")


def local_path(text: object, otherwise: str = "/") -> str:
    """The path if it stays on this origin and is at most 200 characters, else `otherwise`."""
    return text if isinstance(text, str) and len(text) <= 200 and _LOCAL.fullmatch(text) else otherwise


def way_back(request: Request) -> str:
    """The page that is shown, with what its address says of it: where a login leads, what was done."""
    kept = [(name, value) for name, value in request.query_params.items() if name in KEPT]
    if request.method != "GET" or not kept:
        return request.url.path
    return local_path(f"{request.url.path}?{urlencode(kept, safe='/')}", request.url.path)
