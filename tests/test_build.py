"""The browser bundles: same sources, same bytes, wherever they are built; every licence beside them."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from ingam.kernel.words import LANGUAGES, table
from ingam.protocols.mailbox.words import lists

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (
    "browser/src",
    "browser/licences",
    "src/ingam",
    "scripts",
    "package-lock.json",
)
pytestmark = pytest.mark.xdist_group("build")
FONT = ("pretendard/dist/web/variable", "pretendard/dist/public/variable")
PRETENDARD = ROOT / "node_modules/pretendard/dist/public/variable/PretendardVariable.ttf"
RARE = "뷁쁗꿻"
"""Syllables of names that no text of ours has."""


def copied(to: Path) -> Path:
    """What a build needs, copied: sources, locked packages, nothing that was generated."""
    for name in SOURCES:
        source, target = ROOT / name, to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("generated", "__pycache__"))
        else:
            shutil.copy(source, target)
    for package in ("@noble", "hpke", "idb", "qr", "zxing-wasm", "esbuild", "@esbuild", *FONT):
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


def own_words(place: str) -> set[str]:
    """Characters of what this place says itself, without what is no character to draw."""
    ours = ("refusal", "vault", "keypad") if place == "vault" else ()
    told = [text for lang in LANGUAGES for key, text in table(lang).items() if not ours or key.split(".")[0] in ours]
    told += [word for words in lists() for word in words]
    if place == "center":
        pages = [*(ROOT / "src/ingam").rglob("templates/**/*.html"), *(ROOT / "src/ingam/center/terms").rglob("*.md")]
        told += [path.read_text(encoding="utf-8") for path in pages]
    return {one for one in "".join(told) if one.isprintable()}


def faces(css: str) -> list[tuple[str, str, set[str]]]:
    """(family, file, characters) of every @font-face with a range."""
    found = []
    for rule in re.findall(r"@font-face\{([^}]*)\}", css):
        facts = dict(part.split(":", 1) for part in rule.split(";") if ":" in part)
        points: set[int] = set()
        for run in facts["unicode-range"].split(","):
            first, _, last = run.strip()[2:].partition("-")
            points |= set(range(int(first, 16), int(last or first, 16) + 1))
        file = re.sub(r'^url\("?(?:\./)?|"?\).*$', "", facts["src"])
        found.append((facts["font-family"].strip("\"'"), file, set(map(chr, points))))
    return found


def looked(one: dict[str, bytes], place: str) -> str:
    """The look of a place, as built."""
    return one[f"{place}/{json.loads(one['manifest.json'])[place][f'{place}.css']}"].decode()


def typeface(one: dict[str, bytes], place: str) -> TTFont:
    """Of our own words, as built."""
    (name,) = [name for name in one if name.startswith(f"{place}/words_") and name.endswith(".woff2")]
    return TTFont(io.BytesIO(one[name]))


@pytest.mark.parametrize("place", ["center", "vault"])
def test_our_own_words_need_one_file_of_the_typeface(
    two: tuple[dict[str, bytes], dict[str, bytes]], place: str
) -> None:
    one, _ = two
    css = looked(one, place)
    ours = [face for face in faces(css) if face[0] == "Ingam Words"]
    ((_, file, within),) = ours
    assert own_words(place) - within == set()
    assert within == set(map(chr, TTFont(io.BytesIO(one[f"{place}/{file}"])).getBestCmap()))
    assert re.search(r'--font: ?"?Ingam Words"?, ?"?Pretendard Variable"?,', css)


@pytest.mark.parametrize("place", ["center", "vault"])
def test_a_rare_syllable_of_a_name_still_comes_from_pretendards_own_subset(
    two: tuple[dict[str, bytes], dict[str, bytes]], place: str
) -> None:
    one, _ = two
    for syllable in RARE:
        covering = [(family, file) for family, file, within in faces(looked(one, place)) if syllable in within]
        ((family, file),) = covering
        assert family == "Pretendard Variable"
        assert ord(syllable) in TTFont(io.BytesIO(one[f"{place}/{file}"])).getBestCmap()


@pytest.mark.parametrize("place", ["center", "vault"])
def test_our_own_words_are_set_as_wide_and_as_high_as_in_pretendard(
    two: tuple[dict[str, bytes], dict[str, bytes]], place: str
) -> None:
    one, _ = two
    ours = typeface(one, place)
    glyphs = ours.getBestCmap()
    with TTFont(PRETENDARD, lazy=True) as whole:
        theirs = whole.getBestCmap()
        assert [point for point in glyphs if ours["hmtx"][glyphs[point]] != whole["hmtx"][theirs[point]]] == []
        for part, facts in {"head": ["unitsPerEm"], "hhea": ["ascent", "descent", "lineGap"]}.items():
            assert [getattr(ours[part], fact) for fact in facts] == [getattr(whole[part], fact) for fact in facts]
    kept = {told.FeatureTag for kind in ("GPOS", "GSUB") for told in ours[kind].table.FeatureList.FeatureRecord}
    assert {"kern", "tnum"} <= kept


@pytest.mark.parametrize("place", ["center", "vault"])
def test_a_changed_typeface_does_not_bear_the_reserved_name(
    two: tuple[dict[str, bytes], dict[str, bytes]], place: str
) -> None:
    one, _ = two
    told = {said.nameID: str(said) for said in typeface(one, place)["name"].names}
    assert [told[number] for number in (1, 4, 6)] == ["Ingam Words", "Ingam Words", "IngamWords"]
    assert "Open Font License" in told[13]
