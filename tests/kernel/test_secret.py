"""H1: a secret does not print, pickle, format, or stand in an exception."""

from __future__ import annotations

import copy
import json
import pickle
import traceback

import pytest

from ingam.kernel.secret import Secret

CANARY = "canary-7f3a"


@pytest.mark.parametrize(
    "secret", [Secret(CANARY), Secret(CANARY.encode()), Secret(bytearray(CANARY.encode()))], ids=str
)
def test_H1_a_secret_shows_nothing_of_itself(secret: Secret[str]) -> None:
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>40}", "%s %r" % (secret, secret), repr([secret])]  # noqa: UP031
    try:
        raise ValueError(secret)
    except ValueError as error:
        shown.append("".join(traceback.format_exception(error)))
    assert not any(CANARY in one for one in shown)
    for leak in (pickle.dumps, copy.deepcopy, copy.copy, json.dumps, hash, vars):
        with pytest.raises(TypeError):
            leak(secret)


def test_H1_a_bytearray_is_overwritten() -> None:
    value = bytearray(b"0123")
    Secret(value).wipe()
    assert value == bytes(4)


def test_secrets_compare_by_value_and_only_with_secrets() -> None:
    assert Secret("a") == Secret("a") and Secret("a") != Secret("b") and Secret("가") == Secret("가".encode())
    assert Secret("a") != "a"
    assert len(Secret("abc")) == 3 and not Secret("") and Secret("x").reveal() == "x"
