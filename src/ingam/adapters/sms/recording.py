"""An SMS sender that sends nothing and keeps what it was given; production settings never choose it."""

from __future__ import annotations

import structlog

from ingam.ports.sms import Sms

log = structlog.get_logger()


class RecordingSms:
    """`ports.sms.SmsSender` in memory; the same reference is kept once, as a provider sends it once."""

    def __init__(self) -> None:
        self.sent: dict[str, Sms] = {}
        log.warning("sms.recording", meaning="no message leaves this process")

    async def send(self, sms: Sms) -> str:
        self.sent.setdefault(sms.reference, sms)
        return f"recorded-{list(self.sent).index(sms.reference) + 1}"
