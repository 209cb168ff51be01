"""What is shown of a person to somebody who has no reason to see more (facts.md §6, security G4)."""

from __future__ import annotations


def mask_name(name: str) -> str:
    """`홍*동`: the first and the last letter."""
    return name[:1] + "*" if len(name) < 3 else name[0] + "*" * (len(name) - 2) + name[-1]


def mask_idn(idn: str) -> str:
    """`751005-1******`, or of a business number the first three digits."""
    return f"{idn[:6]}-{idn[6]}******" if len(idn) == 13 else f"{idn[:3]}-**-*****"


def mask_phone(number: str) -> str:
    """`010-****-1234`."""
    area = 2 if number.startswith("02") else 3
    return f"{number[:area]}-****-{number[-4:]}"


def mask_email(address: str) -> str:
    """`h***@example.test`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"
