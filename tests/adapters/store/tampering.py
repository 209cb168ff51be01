"""Somebody with the database's own password, who writes past the program."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from typing import Any

import asyncpg


class Tamper:
    """Statements on either database, from any thread."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self, sql: str, *args: Any) -> None:
        """One statement, committed; `?` stands for each value."""
        self._do(sql, args)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """A whole table by its first column."""
        return self._do(f'SELECT * FROM "{table}" ORDER BY 1', ())

    def answers(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """The rows of a question."""
        return self._do(sql, args)

    def close(self) -> None:
        """Nothing is kept open."""

    def _do(self, sql: str, args: tuple[Any, ...]) -> list[dict[str, Any]]:
        if self._url.startswith("sqlite:///"):
            with sqlite3.connect(self._url.removeprefix("sqlite:///"), timeout=10) as connection:
                connection.row_factory = sqlite3.Row
                found = [dict(row) for row in connection.execute(sql, args)]
            connection.close()
            return found
        answer: list[list[dict[str, Any]]] = []
        thread = threading.Thread(target=lambda: answer.append(asyncio.run(self._on_postgresql(sql, args))))
        thread.start()
        thread.join()
        return answer[0]

    async def _on_postgresql(self, sql: str, args: tuple[Any, ...]) -> list[dict[str, Any]]:
        first, *rest = sql.split("?")
        numbered = first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))
        connection = await asyncpg.connect(self._url)
        try:
            return [dict(row) for row in await connection.fetch(numbered, *args)]
        finally:
            await connection.close()
