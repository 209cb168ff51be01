"""The numbered points of a loan application at which a test may stop the process (`kernel.steps.reach`)."""

from __future__ import annotations

from typing import Final

STEPS: Final = (
    ("loan.1", "signature checked and stamped; before application, evidence, notice and line are saved"),
    ("loan.2", "saved"),
)
