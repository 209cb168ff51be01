"""What is applied for, and the very text of it that is shown and signed (security A19).

An institution puts its own products and its own form here; what has to stay is that the text holds everything that is
decided by it, and that the same application always gives the same text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ingam.kernel.words import say

KINDS: Final = ("stock", "collateral")
MONTHS: Final = (6, 12, 24, 36)
LEAST, MOST = 10, 100_000
"""만원."""

WON: Final = 10_000


@dataclass(frozen=True, slots=True)
class Application:
    """`kind` of KINDS; `amount` in 만원; `months` of MONTHS; `account`: digits, where the money goes."""

    kind: str
    amount: int
    months: int
    account: str

    @property
    def won(self) -> str:
        """`10,000,000`."""
        return f"{self.amount * WON:,}"


def text(one: Application, number: str, name: str, institution: str, lang: str) -> str:
    """The application as it is signed, LF between lines. `number`: of its receipt; `name`: the customer's."""
    return "\n".join(
        (
            say("loan.text_title", lang),
            say("loan.text_number", lang, number=number),
            say("loan.text_to", lang, institution=institution),
            say("loan.text_name", lang, name=name),
            say("loan.text_kind", lang, kind=say(f"loan.kind_{one.kind}", lang)),
            say("loan.text_amount", lang, won=one.won),
            say("loan.text_months", lang, n=one.months),
            say("loan.text_account", lang, account=one.account),
            "",
            say("loan.text_end", lang),
        )
    )
