"""What device and relay say in JSON: one shape each, read back as written, everything else refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingam.protocols.mailbox import wire
from ingam.protocols.mailbox.wire import WireMalformed

ROOT = Path(__file__).parents[3]
VECTORS: dict[str, Any] = json.loads((ROOT / "vectors/copying/run.json").read_text(encoding="utf-8"))["wire"]
TOKEN = "A" * 43
AT = datetime(2026, 11, 26, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize("case", VECTORS["acts"], ids=json.dumps)
def test_what_a_device_says_is_read_and_written(case: dict[str, Any]) -> None:
    text = json.dumps(case, separators=(",", ":"))
    assert wire.write(wire.read_act(text)) == text


@pytest.mark.parametrize("case", VECTORS["told"], ids=json.dumps)
def test_what_the_relay_says_is_read_and_written(case: dict[str, Any]) -> None:
    text = json.dumps(case, separators=(",", ":"))
    assert wire.write(wire.read_told(text)) == text


@pytest.mark.parametrize("text", VECTORS["acts_refused"], ids=lambda text: text[:40])
def test_what_a_device_does_not_say_is_refused(text: str) -> None:
    with pytest.raises(WireMalformed):
        wire.read_act(text)


@pytest.mark.parametrize("text", VECTORS["told_refused"], ids=lambda text: text[:40])
def test_what_the_relay_does_not_say_is_refused(text: str) -> None:
    with pytest.raises(WireMalformed):
        wire.read_told(text)


@pytest.mark.parametrize(
    "message",
    [
        wire.Open("a.b"), wire.Join("a.b"), wire.Resume(TOKEN, 8), wire.Close("declined"),
        wire.Opened("00001", TOKEN, AT), wire.Joined(TOKEN, AT), wire.Peer(AT), wire.Resumed(2, AT), wire.Away(),
        wire.Back(), wire.Closed("gone"), wire.RefusedBy("copy-full"), wire.RefusedBy("copy-too-many", 600),
    ],
    ids=lambda message: type(message).__name__,
)  # fmt: skip
def test_every_message_survives_its_text(message: Any) -> None:
    read = wire.read_act if isinstance(message, wire.Open | wire.Join | wire.Resume | wire.Close) else wire.read_told
    assert read(wire.write(message)) == message


@given(st.text(max_size=200))
def test_any_text_is_refused(text: str) -> None:
    for read in (wire.read_act, wire.read_told):
        with pytest.raises(WireMalformed):
            read(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from(["act", "told"]), st.sampled_from(["open", "resume", "close", "opened", "closed"]), JSON)
def test_any_json_is_read_to_the_same_text_or_refused(name: str, word: str, rest: Any) -> None:
    members = {**(rest if isinstance(rest, dict) else {"x": rest}), name: word}
    for read in (wire.read_act, wire.read_told):
        try:
            message: Any = read(json.dumps(members))
        except WireMalformed:
            continue
        assert json.loads(wire.write(message)) == members


def test_a_text_of_more_than_4_kib_is_not_read() -> None:
    with pytest.raises(WireMalformed):
        wire.read_act('{"act":"close","why":"done"' + " " * 4_096 + "}")


@given(st.integers(0, 2**32 - 1), st.binary(min_size=1, max_size=100))
def test_a_post_is_its_number_and_its_body(sequence: int, body: bytes) -> None:
    assert wire.read_post(wire.write_post(sequence, body)) == (sequence, body)


@pytest.mark.parametrize("length", [0, 3, 4, 4 + 16_403])
def test_a_post_without_a_body_or_with_one_too_long_is_refused(length: int) -> None:
    with pytest.raises(WireMalformed):
        wire.read_post(bytes(length))
