"""The browser bundles: same sources, same bytes, wherever they are built; every licence beside them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (
    "browser/src",
    "browser/licences",
    "src/ingam/kernel/words",
    "src/ingam/npki/policies.toml",
    "scripts",
    "package-lock.json",
)
pytestmark = pytest.mark.xdist_group("build")
FONT = "pretendard/dist/web/variable"


def copied(to: Path) -> Path:
    """What a build needs, copied: sources, locked packages, nothing that was generated."""
    for name in SOURCES:
        source, target = ROOT / name, to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("generated", "__pycache__"))
        else:
            shutil.copy(source, target)
    for package in ("@noble", "hpke", "idb", "qr", "zxing-wasm", "esbuild", "@esbuild", FONT):
        shutil.copytree(ROOT / "node_modules" / package, to / "node_modules" / package)
    for name in ("package.json", "dist/LICENSE.txt"):
        shutil.copy(ROOT / "node_modules/pretendard" / name, to / "node_modules/pretendard" / name)
    return to


def built(at: Path) -> dict[str, bytes]:
    """Build there; every file with its bytes."""
    subprocess.run([sys.executable, "scripts/build_browser.py", "--force"], cwd=at, check=True, timeout=120)
    out = at / "build" / "browser"
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Two builds in two folders of different depth."""
    place = tmp_path_factory.mktemp("build")
    return built(copied(place / "one")), built(copied(place / "another" / "deeper 깊은"))


def test_B4_two_builds_in_two_folders_are_the_same_bytes(two: tuple[dict[str, bytes], dict[str, bytes]]) -> None:
    one, other = two
    assert {name for name in one if one[name] != other.get(name)} == set()
    assert one.keys() == other.keys()


def test_B4_the_bundle_is_named_by_a_hash_over_every_file_of_the_vault(
    two: tuple[dict[str, bytes], dict[str, bytes]],
) -> None:
    one, _ = two
    listed = json.loads(one["vault/files.json"])
    in_the_folder = {name.removeprefix("vault/") for name in one if name.startswith("vault/")}
    assert set(listed) == in_the_folder - {"files.json"}
    assert len(json.loads(one["manifest.json"])["vault"]["bundle"]) == 64


@pytest.mark.parametrize("place", ["center", "vault"])
def test_the_licences_of_what_is_bundled_lie_beside_it(
    two: tuple[dict[str, bytes], dict[str, bytes]], place: str
) -> None:
    one, _ = two
    text = one[f"{place}/THIRD-PARTY.txt"].decode()
    assert "SIL OPEN FONT LICENSE" in text
    assert "Reserved Font Name" in text
    assert "@noble/hashes" in text
    if place == "vault":
        assert all(name in text for name in ("@noble/ciphers", "hpke ", "idb ", "qr ", "zxing-wasm ", "ZXing-C++"))
        assert "Apache License" in text
    scripts = [body for name, body in one.items() if name.startswith(f"{place}/") and name.endswith((".js", ".css"))]
    assert scripts
    assert all(b"THIRD-PARTY.txt" in body[:200] for body in scripts)


def test_the_vault_serves_its_webassembly_itself_under_a_name_that_is_a_hash(
    two: tuple[dict[str, bytes], dict[str, bytes]],
) -> None:
    one, _ = two
    (name,) = [name for name in one if name.endswith(".wasm")]
    assert re.fullmatch(r"vault/zxing_reader-[A-Z0-9]{8}\.wasm", name)
    assert one[name].startswith(b"\0asm")
    users = [script for script, body in one.items() if script.endswith(".js") and name[6:].encode() in body]
    assert [script.partition("-")[0] for script in users] == ["vault/scan_wasm"]


def test_nothing_of_this_machine_is_in_the_bundles(two: tuple[dict[str, bytes], dict[str, bytes]]) -> None:
    one, _ = two
    assert not [name for name, body in one.items() if b"node_modules" in body or b"/one/" in body]
