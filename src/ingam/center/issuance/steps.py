"""The numbered points of an issuance at which a test may stop the process (`kernel.steps.reach`)."""

from __future__ import annotations

from typing import Final

STEPS: Final = (
    ("issuance.1", "password: right; before the run is saved"),
    ("issuance.2", "password: saved"),
    ("issuance.3", "① consents and number fit; before the real name is asked"),
    ("issuance.4", "① real name confirmed; before consents and state are saved"),
    ("issuance.5", "① saved"),
    ("issuance.6", "① before the carrier is asked"),
    ("issuance.7", "① asked; before its transaction is saved"),
    ("issuance.8", "① saved"),
    ("issuance.9", "① before the code is shown to the agency"),
    ("issuance.10", "① proven and compared; before it is saved"),
    ("issuance.11", "① saved"),
    ("issuance.12", "② card read and masked; before the picture is kept"),
    ("issuance.13", "② fields fit; before the issuer's record is asked"),
    ("issuance.14", "② genuine; before it is saved"),
    ("issuance.15", "② saved"),
    ("issuance.16", "③ counted; before the bank is asked"),
    ("issuance.17", "③ holder fits; before 1원 leaves"),
    ("issuance.18", "③ 1원 left; before its digits are saved"),
    ("issuance.19", "③ saved"),
    ("issuance.20", "③ before the digits are compared"),
    ("issuance.21", "③ right; before it is saved"),
    ("issuance.22", "③ saved"),
    ("issuance.23", "④ before the contact is saved"),
    ("issuance.24", "④ saved"),
    ("issuance.25", "⑤ key kept in the vault; before its hash is saved"),
    ("issuance.26", "⑤ saved"),
    ("issuance.27", "⑥ chosen; before the authority registers the holder"),
    ("issuance.28", "⑥ registered; before the codes are saved"),
    ("issuance.29", "⑥ saved; the vault has no codes yet"),
    ("issuance.30", "before a message is carried"),
    ("issuance.31", "the authority answered; before the run goes on"),
    ("issuance.32", "certificate read; before it is saved"),
    ("issuance.33", "saved; the vault has no answer yet"),
    ("issuance.34", "pkiConf: before binding, notices and Issued are saved"),
    ("issuance.35", "a refusal: before it is recorded"),
)
"""Numbered points before and after every save and outside call; tests stop the process at each of them."""
