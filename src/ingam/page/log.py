"""The log: one JSON line a request, with its id, route template, status and milliseconds, and nothing personal (H9).

No address, path, query, header, cookie or body is written: a path may hold what a person typed. An exception that is
not ours is written as its type and its places in the code, without its message, which may quote a value.
"""

from __future__ import annotations

import logging
import traceback
from typing import TextIO

import structlog


def set_up_log(stream: TextIO | None = None) -> None:
    """Called once by a process's start: JSON lines to `stream` (stderr unless given)."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(stream) if stream else structlog.PrintLoggerFactory(),
    )


def tell_request(request_id: str, method: str, route: str, status: int, ms: float, code: str | None) -> None:
    """One line for one answered request; `code` is that of its failure."""
    structlog.get_logger("request").info(
        "request", request_id=request_id, method=method, route=route, status=status, ms=round(ms, 1), code=code
    )


def tell_defect(request_id: str, exception: BaseException) -> None:
    """One line for an exception nobody expected: the type and where, never the message (H1)."""
    frames = traceback.extract_tb(exception.__traceback__)[-12:]
    where = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    structlog.get_logger("request").error("defect", request_id=request_id, kind=type(exception).__name__, where=where)
