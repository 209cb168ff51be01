"""OCSP answers as HTTP replies, made once and kept ready to send (RFC 6960 appendix A, RFC 5019 section 6)."""

from __future__ import annotations

import hashlib
from email.utils import formatdate
from typing import Final

from ingam.ca.status.framing import Signed
from ingam.protocols.ocsp import answering
from ingam.run.messages import Reply, Request, fields

_TYPE: Final = ("Content-Type", "application/ocsp-response")
_NO_STORE: Final = fields([_TYPE, ("Cache-Control", "no-store")])


class Tagged(Reply):
    """An answer that a client or a cache may hold already. `tag`: its entity tag; `unchanged`: the 304 that says so."""

    __slots__ = ("tag", "unchanged")

    def __init__(self, status: int, head: bytes, body: bytes, tag: bytes, lives: int) -> None:
        super().__init__(status, head, body, lives)
        self.tag, self.unchanged = tag, Reply(304, head, b"", lives)

    def to(self, request: Request) -> Reply:
        """This reply, or 304 where the client has it (If-None-Match, RFC 9110 section 13.1.2)."""
        asked = request.fields.get(b"if-none-match")
        return self.unchanged if asked is not None and holds(asked, self.tag) else self


def holds(asked: bytes, tag: bytes) -> bool:
    """Whether If-None-Match names a tag; weak and strong ones compare alike there."""
    return asked.strip() == b"*" or tag in (one.strip().removeprefix(b"W/") for one in asked.split(b","))


class StatusReplies:
    """`ca.status.framing.Framing` for the exchange."""

    def __init__(self) -> None:
        errors = (
            answering.MALFORMED_REQUEST, answering.INTERNAL_ERROR, answering.TRY_LATER, answering.UNAUTHORIZED,
        )  # fmt: skip
        self._errors = {der: Reply(200, _NO_STORE, der) for der in errors}

    def posted(self, answer: Signed) -> Reply:
        """Nobody keeps the answer to a POST."""
        return Reply(200, _NO_STORE, answer.der)

    def fetched(self, answer: Signed) -> Reply:
        """The bound of caches is `max_age`, also for those of HTTP/1.0 (Expires); the answer's own end is later."""
        tag = f'"{hashlib.sha256(answer.der).hexdigest()[:40]}"'
        head = fields(
            [
                _TYPE,
                ("ETag", tag),
                ("Last-Modified", formatdate(answer.this_update, usegmt=True)),
                ("Cache-Control", f"max-age={answer.max_age}, public, no-transform, must-revalidate"),
            ]
        )
        return Tagged(200, head, answer.der, tag.encode("ascii"), answer.max_age)

    def once(self, der: bytes) -> Reply:
        """For this question alone."""
        return self._errors.get(der) or Reply(200, _NO_STORE, der)
