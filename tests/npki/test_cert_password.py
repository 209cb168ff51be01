"""The rule for a new certificate password, and that opening knows no rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingam.npki import cert_password, key_file
from ingam.npki.cert_password import WeakPassword

FILES = Path(__file__).parents[2] / "vectors" / "key-files"

REFUSED = [
    ("short#A1b", "cert-password-length"),
    ("a2#" * 19, "cert-password-length"),
    ("lettersonly", "cert-password-kinds"),
    ("letters1945", "cert-password-kinds"),
    ("1945#7193!8", "cert-password-kinds"),
    ("pass'word#19", "cert-password-forbidden"),
    ('pass"word#19', "cert-password-forbidden"),
    ("pass\\word#19", "cert-password-forbidden"),
    ("pass|word#19", "cert-password-forbidden"),
    ("goodPPPass#19", "cert-password-sequence"),
    ("goodabcd#19xx", "cert-password-sequence"),
    ("goodCBA#19xxy", "cert-password-sequence"),
    ("good#pass321z", "cert-password-sequence"),
    ("good###pass19", "cert-password-sequence"),
    ("비밀번호pass#19", "cert-password-ascii"),
    ("good pass#194", "cert-password-ascii"),
    ("goodpass#194\n", "cert-password-ascii"),
]


@pytest.mark.parametrize(("password", "code"), REFUSED)
def test_a_new_password_that_breaks_the_rule_is_refused_by_its_own_code(password: str, code: str) -> None:
    with pytest.raises(WeakPassword) as refused:
        cert_password.check_new(password)
    assert refused.value.code == code
    assert password not in str(refused.value)


@pytest.mark.parametrize("password", ["ingam-Test#2026", "WTuA8Ev0lWXVFSiI!", "a1#b2$c3%d", "x1#" + "qw9$" * 13])
def test_a_good_one_comes_back_as_its_bytes(password: str) -> None:
    assert cert_password.check_new(password) == password.encode()
    assert cert_password.broken(password) == []


def test_the_checklist_tells_every_broken_part_at_once() -> None:
    assert cert_password.broken("aaa") == ["cert-password-length", "cert-password-kinds", "cert-password-sequence"]


def test_opening_knows_no_rule() -> None:
    key_file.open_key((FILES / "short-password.key").read_bytes(), b"a1")
    key_file.open_key((FILES / "korean-password.key").read_bytes(), "비밀번호1!".encode())
