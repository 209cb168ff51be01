"""What the voice says, in the order of security E4: who calls and for what, the warning, then two digits or `0`."""

from __future__ import annotations

from dataclasses import dataclass

from ingam.kernel import words
from ingam.ports.ars import Call, CallState


@dataclass(frozen=True, slots=True)
class Lines:
    """The sentences of one call. Digits before the end of `opening` count for nothing, except `0`."""

    opening: str
    asking: str
    approved: str
    wrong: str
    refused: str
    silence: str

    def ending(self, state: CallState) -> str:
        """What is said last; nobody hears it where nobody answered."""
        endings = {
            CallState.APPROVED: self.approved,
            CallState.WRONG: self.wrong,
            CallState.REFUSED: self.refused,
        }
        return endings.get(state, self.silence)


def lines(call: Call) -> Lines:
    """In the language of the call."""
    opening = words.say("ars.opening", call.lang, institution=call.institution, purpose=call.purpose)
    rest = (words.say(f"ars.{name}", call.lang) for name in ("asking", "approved", "wrong", "refused", "silence"))
    return Lines(opening, *rest)
