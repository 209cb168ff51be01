"""The session of a browser: 256 random bits in a cookie, only their hash in the store (security F2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Level(StrEnum):
    """The assurance of a session; it rises only with a new session id."""

    PRE = "pre"  # nobody is logged in
    ID = "id"  # 아이디 로그인
    FINANCE = "finance"  # 금융인증서 로그인; the key is in somebody else's cloud (docs/decisions/0015)
    PASSKEY = "passkey"  # a key that verified the person; what is signed for asks for a certificate still
    CERT = "cert"  # 공동인증서 로그인


@dataclass(frozen=True, slots=True)
class Session:
    """A live session as the request sees it. `session`: SHA-256 of the cookie's bits, 64 lower hex.

    `slot`: which head of a union it is, as the certificate, 금융인증서 or passkey of the login says; None: the login
    was by ID and password, and the session is the first head's. `head`: keyed digest of that head's number, "" where it
    is no union (customer/heads.py). They never change.
    """

    session: str
    level: Level
    customer_id: str | None
    csrf: str
    device: str | None
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    slot: int | None = None
    head: str = field(repr=False, default="")
