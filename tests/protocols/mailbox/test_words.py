"""The check words: 1,024 things in two languages, short and unlike each other."""

from __future__ import annotations

import unicodedata
from itertools import combinations

from ingam.protocols.mailbox import words
from ingam.protocols.mailbox.schedule import _words


def test_there_are_1024_words_in_each_language_and_none_twice() -> None:
    for each in words.lists():
        assert len(each) == len(set(each)) == words.COUNT == 2**10


def test_korean_words_have_two_to_four_syllables_and_english_ones_are_plain() -> None:
    korean, english = words.lists()
    assert all(2 <= len(one) <= 4 and all("가" <= syllable <= "힣" for syllable in one) for one in korean)
    assert all(3 <= len(one) <= 12 and one.isascii() and one.isalpha() and one.islower() for one in english)


def _one_apart(one: str, other: str) -> bool:
    """Whether one letter less, more or other makes them the same."""
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1:
        return False
    head = next((at for at, letter in enumerate(one) if letter != other[at]), len(one))
    rest = one[head + (len(one) == len(other)) :]
    return rest == other[head + 1 :]


def test_no_two_words_are_one_letter_apart() -> None:
    korean, english = words.lists()
    spelt = [unicodedata.normalize("NFD", one) for one in korean]
    assert not [pair for pair in combinations(spelt, 2) if _one_apart(*pair)]
    assert not [pair for pair in combinations(english, 2) if _one_apart(*pair)]


def test_C10_both_languages_are_always_shown() -> None:
    korean, english = words.lists()
    assert words.shown(0, 1023) == f"{korean[0]} · {korean[1023]} ({english[0]} · {english[1023]})"
    assert words.shown(0, 1023, "en") == f"{english[0]} · {english[1023]} ({korean[0]} · {korean[1023]})"


def test_C9_twenty_bits_choose_two_words() -> None:
    assert _words(bytes(4)) == (0, 0)
    assert _words(b"\xff\xff\xff\xff") == (1023, 1023)
    assert _words(b"\x00\x40\x10\x00") == (1, 1)
    assert _words(b"\x80\x00\x0f\xff") == (512, 0)
