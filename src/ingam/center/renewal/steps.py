"""The numbered points of a renewal at which a test may stop the process (`kernel.steps.reach`)."""

from __future__ import annotations

from typing import Final

STEPS: Final = (
    ("renewal.1", "the new key is kept in the vault; before its hash is saved"),
    ("renewal.2", "saved"),
    ("renewal.3", "terms agreed to, the fee allowed; before they are saved"),
    ("renewal.4", "saved; the vault may ask the authority"),
    ("renewal.5", "before a message is carried"),
    ("renewal.6", "the authority answered; before the run goes on"),
    ("renewal.7", "certificate read; before it is saved"),
    ("renewal.8", "saved; the vault has no answer yet"),
    ("renewal.9", "it stands: before registration, notices and Renewed are saved"),
    ("renewal.10", "saved; the vault has no pkiConf yet"),
    ("renewal.11", "its time is over: the authority said what stands, nothing is saved of it"),
    ("renewal.12", "a refusal: before it is recorded"),
)
"""Numbered points before and after every save and outside call; tests stop the process at each of them."""
