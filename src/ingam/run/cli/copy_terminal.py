"""How `ingam copy` speaks with a person: lines on the terminal, questions that an event may overtake, hidden passwords.

A question is answered by a line; the end of input is a no. With --password-stdin the first lines are passwords, and
further lines are answers.
"""

from __future__ import annotations

import asyncio
import getpass
import sys
import threading
from typing import Final

from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.kernel.words import has, say
from ingam.run.cli.answers import failure_text, tell_rows, visible
from ingam.run.cli.passwords import PasswordNeeded

YES: Final = frozenset({"y", "yes", "예", "네", "ㅇ", "맞아요"})
NO: Final = frozenset({"n", "no", "아니요", "아니오", "아뇨", "ㄴ"})
# An answer that is neither is asked for twice more.
ASKED: Final = 3
MOST_LINE: Final = 4_096


class Terminal:
    """One command's conversation. `piped`: passwords come from stdin as well."""

    def __init__(self, lang: str, *, piped: bool) -> None:
        self.lang, self._piped = lang, piped
        self._reading: asyncio.Future[str] | None = None
        self._unanswered = False

    def say(self, name: str, **facts: str | int) -> None:
        """A sentence of [copy]."""
        self.line(say(f"copy.{name}", self.lang, **facts))

    def line(self, text: str) -> None:
        """One line, at once; what others wrote is only shown."""
        self._overtake()
        print(visible(text), flush=True)

    def rows(self, names: dict[str, str]) -> None:
        """Facts with their labels of [copy]."""
        self._overtake()
        tell_rows([(say(f"copy.{name}", self.lang), value) for name, value in names.items()])
        sys.stdout.flush()

    def why(self, code: str) -> None:
        """Why a run ended, as one of its two devices says it."""
        own = f"copy.why_{code.replace('-', '_')}"
        self.line(say(own, self.lang) if has(own) else failure_text(Refusal(code), self.lang))

    def pictured(self, lines: list[str]) -> None:
        """A picture of ours, as it is."""
        self._overtake()
        print("\n".join(lines), flush=True)

    async def ask(self, name: str, **facts: str | int) -> str:
        """The line that answers a question; "" at the end of input."""
        self._overtake()
        print(visible(say(f"copy.{name}", self.lang, **facts)), end=" ", flush=True)
        self._unanswered = True
        line = await self._line()
        self._unanswered = False
        return line.strip()

    def _overtake(self) -> None:
        """What comes while a question stands unanswered begins a line of its own."""
        if self._unanswered:
            print()
            self._unanswered = False

    async def agrees(self, name: str, **facts: str | int) -> bool:
        """Whether the answer is a yes. What is neither yes nor no is asked again, twice; an empty line is a no."""
        for _ in range(ASKED):
            answer = (await self.ask(name, **facts)).lower()
            if answer in YES:
                return True
            if not answer or answer in NO:
                break
        return False

    async def secret(self, name: str) -> Secret[str]:
        """A password: a line of stdin with --password-stdin, else typed unseen. Raises PasswordNeeded."""
        if self._piped:
            line = await self._line()
            if not line:
                raise PasswordNeeded
            return Secret(line.rstrip("\r\n"))
        if not sys.stdin.isatty():
            raise PasswordNeeded
        return Secret(await asyncio.to_thread(getpass.getpass, say(f"copy.{name}", self.lang) + " "))

    async def _line(self) -> str:
        """The next line. A question that was overtaken leaves its reader waiting: the next one takes it over."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.get_running_loop().create_future()
            threading.Thread(target=_read, args=(self._reading,), daemon=True).start()
        line = await asyncio.shield(self._reading)
        self._reading = None
        return line


def _read(told: asyncio.Future[str]) -> None:
    """In a thread of its own that nobody waits for at the end."""
    line = sys.stdin.readline(MOST_LINE)
    loop = told.get_loop()
    if not loop.is_closed():
        loop.call_soon_threadsafe(lambda: None if told.done() else told.set_result(line))
