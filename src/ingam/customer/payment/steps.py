"""The numbered points of a payment at which a test may stop the process (`kernel.steps.reach`)."""

from __future__ import annotations

from typing import Final

STEPS: Final = (
    ("payment.1", "chosen; before the payment is kept"),
    ("payment.2", "kept; before the provider opens it"),
    ("payment.3", "opened, or seen to be allowed; nothing was done with it"),
    ("payment.4", "a certificate stands; before it is charged"),
    ("payment.5", "charged; before that is kept"),
    ("payment.6", "nothing comes of it any more; before it is released"),
    ("payment.7", "released; before that is kept"),
    ("payment.8", "owed; before a night tries to charge it"),
    ("payment.9", "charged by a night; before that is kept"),
    ("payment.10", "allowed anew by the person; before the former payment is freed"),
    ("payment.11", "the former payment is freed; before the new one is charged"),
    ("payment.12", "the new one is charged; before that is kept"),
)
