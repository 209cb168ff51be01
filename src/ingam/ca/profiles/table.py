"""One TOML table as it is read: every key asked for by its type, and none left over."""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Mapping
from typing import Any, Final

from ingam.kernel.errors import Refusal

MOST_NOTICE: Final = 200
"""Characters of an explicitText (RFC 5280 section 4.2.1.4)."""

MOST_TEXT: Final = 64
"""Characters of an attribute of a name (X.520 upper bounds of O, OU and CN)."""

_ADDRESS: Final = re.compile(r"https?://[a-z0-9.-]{1,100}(:[0-9]{1,5})?(/[A-Za-z0-9._/-]{0,100})?")


class ProfileRefused(Refusal):
    """The authority's or its profiles' file cannot be used; `at` says where, `rule` which two things contradict."""

    code = "ca-profile-value"


class Table:
    """A table named `name`; where a key is missing, `defaults` has it. `asked`: every key that was asked for."""

    __slots__ = ("_defaults", "_left", "_values", "asked", "name")

    def __init__(self, name: str, values: object, defaults: Mapping[str, Any] | None = None) -> None:
        if not isinstance(values, dict):
            raise ProfileRefused("ca-profile-missing-key" if values is None else "ca-profile-value", at=name)
        self.name = name
        self._values: dict[str, Any] = values
        self._defaults = defaults or {}
        self._left = set(values)
        self.asked: set[str] = set()

    def wrong(self, key: str) -> ProfileRefused:
        """What to raise where a value is not possible."""
        return ProfileRefused("ca-profile-value", at=self._at(key))

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._values or key in self._defaults

    def done(self) -> None:
        """Raises ProfileRefused where a key was not asked for."""
        for key in sorted(self._left):
            raise ProfileRefused("ca-profile-unknown-key", at=self._at(key))

    def flag(self, key: str) -> bool:
        """A boolean."""
        found = self._take(key)
        if not isinstance(found, bool):
            raise self.wrong(key)
        return found

    def number(self, key: str, least: int, most: int) -> int:
        """An integer within bounds."""
        found = self._take(key)
        if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
            raise self.wrong(key)
        return found

    def numbers(self, key: str, count: int) -> list[int]:
        """So many integers."""
        found = self._take(key)
        if not isinstance(found, list) or len(found) != count or any(type(one) is not int for one in found):
            raise self.wrong(key)
        return found

    def text(self, key: str, form: re.Pattern[str] | None = None) -> str:
        """Printable text: of the form, or of 1 to 64 characters."""
        return self._text(key, self._take(key), form)

    def texts(self, key: str) -> list[str]:
        """Several texts, none twice."""
        found = self._take(key)
        if not isinstance(found, list) or len(set(map(str, found))) != len(found):
            raise self.wrong(key)
        return [self._text(key, one, None) for one in found]

    def notice(self, key: str) -> str:
        """Text of a BMPString of at most 200 characters."""
        found = self._take(key)
        if not isinstance(found, str) or not 1 <= len(found) <= MOST_NOTICE or not found.isprintable():
            raise self.wrong(key)
        if max(found) > "\uffff":
            raise self.wrong(key)
        return found

    def address(self, key: str) -> str:
        """An HTTP address in ASCII."""
        return self._text(key, self._take(key), _ADDRESS)

    def choice(self, key: str, among: Collection[str]) -> str:
        """One of several words."""
        return self.one_of(key, self._take(key), among)

    def one_of(self, key: str, value: object, among: Collection[str]) -> str:
        """The value, if it is among them."""
        if not isinstance(value, str) or value not in among:
            raise self.wrong(key)
        return value

    def pattern(self, key: str, places: Collection[str], form: re.Pattern[str] | None = None) -> str:
        """Text with `{places}`, and no others."""
        return self._pattern(key, self.text(key, form), places)

    def patterns(self, key: str, places: Collection[str]) -> list[str]:
        """Several such texts."""
        return [self._pattern(key, one, places) for one in self.texts(key)]

    def table(self, key: str) -> Table:
        """A table inside."""
        return Table(self._at(key), self.mapping(key))

    def mapping(self, key: str) -> dict[str, Any]:
        """A table inside, as it stands."""
        found = self._take(key)
        if not isinstance(found, dict):
            raise self.wrong(key)
        return found

    def _take(self, key: str) -> object:
        self._left.discard(key)
        self.asked.add(key)
        found = self._values.get(key, self._defaults.get(key))
        if found is None:
            raise ProfileRefused("ca-profile-missing-key", at=self._at(key))
        return found

    def _text(self, key: str, value: object, form: re.Pattern[str] | None) -> str:
        if not isinstance(value, str) or not value.isprintable():
            raise self.wrong(key)
        if not (form.fullmatch(value) if form else 1 <= len(value) <= MOST_TEXT):
            raise self.wrong(key)
        return value

    def _pattern(self, key: str, value: str, places: Collection[str]) -> str:
        try:
            parts = list(string.Formatter().parse(value))
        except ValueError:
            raise self.wrong(key) from None
        for _, place, form, conversion in parts:
            if place is not None and (place not in places or form or conversion):
                raise self.wrong(key)
        return value

    def _at(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key
