"""The words in both languages: the same keys, the same placeholders, and no promise that the rules forbid."""

from __future__ import annotations

import re

from ingam.kernel.words import table


def flat(lang: str) -> dict[str, str]:
    """Every text by its dotted key."""
    return table(lang)


def test_korean_and_english_have_the_same_keys_and_placeholders() -> None:
    korean, english = flat("ko"), flat("en")
    assert set(korean) == set(english)
    for key, text in korean.items():
        fields = [set(re.findall(r"\{(\w+)", one)) for one in (text, english[key])]
        assert fields[0] == fields[1], key
        assert text.strip() and english[key].strip(), key


def test_B7_no_text_says_that_a_kept_key_cannot_be_copied() -> None:
    promises = (
        r"extractable|cannot be (copied|extracted|stolen)|추출할 수 없|꺼낼 수 없|복사할 수 없|유출될 수 없|훔칠 수 없"
    )
    for lang in ("ko", "en"):
        assert [key for key, text in flat(lang).items() if re.search(promises, text, re.IGNORECASE)] == []
