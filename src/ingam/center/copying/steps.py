"""The numbered points of a copy at which a test may stop the process (`kernel.steps.reach`)."""

from __future__ import annotations

from typing import Final

STEPS: Final = (
    ("copying.1", "receiver: before the announcement is counted and saved"),
    ("copying.2", "receiver: announced"),
    ("copying.3", "a number: counted, its ticket signed; before the flow is saved"),
    ("copying.4", "a number: saved; the ticket is not told yet"),
    ("copying.5", "a mailbox: before it is saved"),
    ("copying.6", "a mailbox: saved"),
    ("copying.7", "joining: counted, the ticket signed; before the flow is saved"),
    ("copying.8", "joining: saved; the ticket is not told yet"),
    ("copying.9", "①: before the yes is saved"),
    ("copying.10", "①: saved"),
    ("copying.11", "②: counted and made; before code, message and state are saved"),
    ("copying.12", "②: saved; the message has not left yet"),
    ("copying.13", "②: right; before code, proof and state are saved"),
    ("copying.14", "②: saved"),
    ("copying.15", "arrived: looked at; before the flow is saved"),
    ("copying.16", "arrived: saved"),
    ("copying.17", "stored: before state, device, notices and audit lines are saved"),
    ("copying.18", "stored: saved; the notices have not left yet"),
    ("copying.19", "취소: before the state is saved"),
    ("copying.20", "취소: saved"),
    ("copying.21", "before a refusal is recorded"),
    ("copying.22", "③: claimed and proven; before the proof is used up and the state saved"),
    ("copying.23", "③: saved"),
    ("copying.24", "no: before state and session are saved"),
    ("copying.25", "no: saved"),
    ("copying.26", "the sender's report: before state and device are saved"),
    ("copying.27", "the sender's report: saved"),
)
"""Numbered points before and after every save; tests stop the process at each of them."""
