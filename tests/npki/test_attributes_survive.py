"""Password change, export, import and copying never lose an attribute byte (B6, B16, W7); over vectors/management."""

from __future__ import annotations

import base64
import hashlib
import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingam.npki import der, folder, key_file, pfx
from ingam.npki.private_key import open_pkcs8

VECTORS = Path(__file__).parents[2] / "vectors"
TOLD: dict[str, Any] = json.loads((VECTORS / "management" / "keys.json").read_text(encoding="utf-8"))
CERTIFICATE = (VECTORS / TOLD["certificate"]).read_bytes()
OLD, NEW = TOLD["password"].encode(), b"Silver#tide-8241q"
MAKE = runpy.run_path(str(VECTORS / "management" / "make.py"))


def through_everything(sealed: bytes, where: Path) -> bytes:
    """The PKCS#8 after a password change, a .pfx, an NPKI folder, and both changed once more."""
    changed = key_file.change_password(sealed, OLD, NEW)
    inside = bytes(key_file.open_key(changed, NEW).pkcs8.reveal())
    made = pfx.write_pfx([(CERTIFICATE, inside)], NEW)
    inside = bytes(pfx.open_pfx(made, NEW).require_pair().key.pkcs8.reveal())
    folder.save_pair(where, CERTIFICATE, key_file.seal_key(inside, OLD), km=None, replace=True)
    found = folder.read(where)
    assert found.key is not None
    assert found.certificate == CERTIFICATE
    return bytes(key_file.open_key(found.key, OLD).pkcs8.reveal())


@pytest.mark.parametrize("case", TOLD["cases"], ids=[one["variant"] for one in TOLD["cases"]])
def test_B16_every_key_of_the_vectors_comes_out_as_it_went_in(case: dict[str, Any], tmp_path: Path) -> None:
    found = through_everything(base64.b64decode(case["key_file"]), tmp_path / "pair")
    assert hashlib.sha256(found).hexdigest() == case["pkcs8_sha256"]
    assert open_pkcs8(found).has_random == case["has_r"]


ATTRIBUTE = st.builds(
    lambda arc, values: der.seq(der.oid(f"1.3.6.1.4.1.99999.{arc}"), der.set_of([der.octets(one) for one in values])),
    st.integers(0, 1 << 20),
    st.lists(st.binary(max_size=300), min_size=1, max_size=3),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(ATTRIBUTE, min_size=1, max_size=5))
def test_B16_and_so_does_a_key_with_attributes_of_any_content(
    tmp_path_factory: pytest.TempPathFactory, attributes: list[bytes]
) -> None:
    pkcs8 = der.seq(*MAKE["bare"](), der.tlv(0xA0, b"".join(attributes)))
    assert through_everything(key_file.seal_key(pkcs8, OLD), tmp_path_factory.mktemp("any") / "pair") == pkcs8


def test_the_vectors_are_what_their_script_makes() -> None:
    assert [MAKE["case"](number) for number in range(MAKE["COUNT"])] == TOLD["cases"]
