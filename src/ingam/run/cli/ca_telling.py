"""How `ingam ca` answers: tables that align Korean, JSON, one line in Korean · English for a failure, its exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from ingam.kernel.errors import Defect, Failure, Outage
from ingam.kernel.instants import korean_minute, rfc3339
from ingam.run.cli import answers

DONE, DEFECT, USAGE, LOCKED, UNREADABLE, REFUSED, AWAY = 0, 1, 2, 3, 4, 6, 7

EXIT_CODES: Final = """exit codes: 0 done, 1 a defect of ours, 2 usage (also: the file to be written is there, nobody
said the passphrase), 3 not the passphrase or PIN, 4 no such authority, or a file that cannot be read or is not what it
should be, 6 refused (nothing was changed), 7 books, keys, blind index or a place of publication do not answer"""

_CODES: Final = {
    "ca-file-exists": USAGE,
    "ca-input-missing": USAGE,
    "ca-passphrase-missing": USAGE,
    "ca-passphrase-differs": USAGE,
    "ca-passphrase-short": USAGE,
    "signing-keys-locked": LOCKED,
    "ca-missing": UNREADABLE,
    "ca-file-unreadable": UNREADABLE,
    "ca-operators-malformed": UNREADABLE,
    "ca-signature-malformed": UNREADABLE,
    "ca-not-a-statement": UNREADABLE,
    "ca-record-missing": UNREADABLE,
    "ceremony-certificate-missing": UNREADABLE,
    "cmp-malformed": UNREADABLE,
    "key-file-refused": UNREADABLE,
    "settings-refused": USAGE,
    "signing-key-missing": UNREADABLE,
}
_PROFILE_FILES: Final = (
    "ca-profile-syntax", "ca-profile-unknown-key", "ca-profile-missing-key", "ca-profile-value", "ca-profile-clash",
)  # fmt: skip


def exit_code(failure: Failure) -> int:
    """The exit code of a failure, as EXIT_CODES says it."""
    if failure.code in _CODES:
        return _CODES[failure.code]
    if failure.code in _PROFILE_FILES:
        return UNREADABLE
    if isinstance(failure, Outage):
        return AWAY
    return DEFECT if isinstance(failure, Defect) else REFUSED


def failure_line(failure: Failure) -> str:
    """`한국어 · English [code]`; code and facts alone where there is no text."""
    korean, english = (answers.failure_text(failure, lang).removesuffix(f" [{failure.code}]") for lang in ("ko", "en"))
    return str(failure) if korean == english else f"{korean} · {english} [{failure.code}]"


def tell_failure(failure: Failure, *, as_json: bool) -> int:
    """One line on stderr, or an object on stdout; returns the exit code."""
    line = failure_line(failure)
    if as_json:
        answers.tell_json({"error": {"code": failure.code, "message": line, "facts": failure.facts}})
    else:
        answers.tell_aside(line)
    return exit_code(failure)


def tell(facts: Mapping[str, Any], labels: Mapping[str, str], *, as_json: bool) -> None:
    """Facts as JSON, or in rows under their labels; facts without a label are for programs."""
    if as_json:
        answers.tell_json(facts)
    else:
        answers.tell_rows([(labels[name], shown(value)) for name, value in facts.items() if name in labels])


def tell_list(rows: Sequence[Mapping[str, Any]], heads: Mapping[str, str], empty: str) -> None:
    """Rows as a table under its heads, or what is said of none."""
    if not rows:
        print(empty)
        return
    answers.tell_table(list(heads.values()), [[shown(row[name]) for name in heads] for row in rows])


def shown(value: object) -> str:
    """A value as a table shows it: instants of RFC 3339 by the minute in Korea, states and yes in both languages."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "예 · yes" if value else "아니오 · no"
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value))
    text = str(value)
    at = _instant(text)
    return WORDS.get(text, text) if at is None else f"{korean_minute(at)} KST"


def instant(at: datetime | None) -> str | None:
    """RFC 3339, where there is one."""
    return None if at is None else rfc3339(at)


WORDS: Final = {
    "pending": "확인 대기 · pending",
    "valid": "유효 · valid",
    "held": "효력정지 · held",
    "revoked": "폐지 · revoked",
    "expired": "만료 · expired",
    "issued": "발급 · issued",
    "released": "회복 · released",
    "full": "전체 · full",
    "partition": "분할 · partition",
    "delta": "변경분 · delta",
    "current": "유효 · current",
    "overdue": "기한 지남 · overdue",
    "never": "없음 · never made",
    "behind": "공개 전 · not published",
}


def _instant(text: str) -> datetime | None:
    if len(text) != 20 or text[4] != "-" or text[-1] != "Z":
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
