"""The three families of failure. Each cause has one permanent kebab-case code; its text lies in `kernel/words`.

A Refusal is something the person may read and act on. An Outage is somebody else's silence: nothing was stored, try
again. A Defect is ours. One table in `page` turns them into pages; the CLI turns them into exit codes.
"""

from __future__ import annotations


class Failure(Exception):  # noqa: N818 - the families are Refusal, Outage and Defect, in the words of the house
    """A failure with a permanent code and printable facts (never secrets, names or numbers of a person).

    `code`: kebab-case str. `facts`: the placeholders of its text, str or int.
    """

    code: str = "defect"

    def __init__(self, code: str | None = None, **facts: str | int) -> None:
        if code is not None:
            self.code = code
        self.facts = facts
        super().__init__(self.code)

    def __str__(self) -> str:
        told = " ".join(f"{name}={value}" for name, value in self.facts.items())
        return f"{self.code} {told}".strip()


class Refusal(Failure):
    """The person (or the file, or the message) may be told why; nothing was stored."""

    code = "refused"


class Outage(Failure):
    """An outside party did not answer in time or in form; nothing was stored; a retry may succeed."""

    code = "outage"


class Defect(Failure):
    """Ours: a state or an answer that cannot be. Logged with its request id, shown as a plain apology."""

    code = "defect"
