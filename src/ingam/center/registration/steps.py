"""The numbered points of the registration at which a test may stop the process (`kernel.steps.reach`)."""

from __future__ import annotations

from typing import Final

STEPS: Final = (
    ("registration.1", "①: before ID and password are checked"),
    ("registration.2", "①: all three fit; before the flow is saved"),
    ("registration.3", "①: saved"),
    ("registration.4", "②: before a code is made"),
    ("registration.5", "②: counted and made; before code, message and state are saved"),
    ("registration.6", "②: saved; the message has not left yet"),
    ("registration.7", "②: before code and fields are checked"),
    ("registration.8", "②: both right; before code, proof and state are saved"),
    ("registration.9", "②: saved"),
    ("registration.10", "③: before the yes to replace is saved"),
    ("registration.11", "③: before the challenge is stored"),
    ("registration.12", "③: challenge stored; not yet told"),
    ("registration.13", "③: before the nonce is claimed (check 2)"),
    ("registration.14", "③: claimed; before checks 3-8, which ask the status of the certificate"),
    ("registration.15", "③: proven; before the VID is counted and checked (check 9)"),
    ("registration.16", "③: owned; before checks 10 and 11"),
    ("registration.17", "③: all checks passed; before check 12 saves"),
    ("registration.18", "③: saved; the notice has not left yet"),
    ("registration.19", "이전, 나가기, or time over: before the state is saved"),
    ("registration.20", "이전, 나가기, or time over: saved"),
    ("registration.21", "before a refusal or a lock is recorded"),
    ("registration.22", "recorded"),
)
"""Numbered points before and after every save and outside call; tests stop the process at each of them."""
