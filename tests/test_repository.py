"""What the repository holds and hands out: no address of a registry, no path of a machine, and a whole wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.xdist_group("repository")
KEPT = ("src", "tests", "docs", "scripts", "browser", "bench", "requirements", ".ci")
WRITTEN = (".py", ".ts", ".css", ".html", ".toml", ".txt", ".md", ".json", ".in", "")
MADE = {"__pycache__", "generated", "results", "shots"}
# In two parts, so that this file is not what it looks for.
MACHINE = re.compile(r"(?<![\w.~{}\-\])>/])/(?:" + "wo" + r"rk|ro" + r"ot|tm" + r"p)/")
INDEX = re.compile(r"--(?:extra-)?index-url|--find-links|_authToken|\"resolved\"")


def kept() -> Iterator[tuple[Path, str]]:
    """Every text file of ours, and the files beside them at the top."""
    places = [path for place in KEPT for path in (ROOT / place).rglob("*")]
    top = [ROOT / name for name in ("Makefile", "README.md", "README.ko.md", "package-lock.json", ".npmrc")]
    for path in (*places, *top, *ROOT.glob("*.toml"), *ROOT.glob("ts*.json")):
        if path.is_file() and path.suffix in WRITTEN and not MADE & set(path.parts) and path != Path(__file__):
            yield path, path.read_text(encoding="utf-8")


def test_no_path_of_a_machine_is_kept() -> None:
    assert [(str(path.relative_to(ROOT)), found[0]) for path, text in kept() if (found := MACHINE.search(text))] == []


def test_the_locks_name_no_registry() -> None:
    locks = [ROOT / "package-lock.json", ROOT / ".npmrc", *(ROOT / "requirements").iterdir()]
    assert [path.name for path in locks if INDEX.search(path.read_text(encoding="utf-8"))] == []
    locked = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "requirements").glob("*.txt"))
    assert "://" not in locked
    assert locked.count("==") < locked.count("--hash=sha256:")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`pip install .` in its first half."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    return next(out.glob("*.whl"))


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        inside = {name for name in file.namelist() if name.startswith("ingam/")}
    package = ROOT / "src" / "ingam"
    ours = {f"ingam/{path.relative_to(package)}" for path in package.rglob("*") if path.is_file()}
    assert {name for name in ours if "__pycache__" not in name} == inside
    assert {"ingam/npki/policies.toml", "ingam/kernel/words/ko.toml", "ingam/py.typed"} <= inside


def test_the_wheel_shows_a_certificate_on_its_own(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path)
    sample = ROOT / "vectors" / "npki-samples" / "kiea-mydata"
    code = "import sys; from ingam import run; assert sys.argv[1] in run.__file__; from ingam.run.cli import main; "
    shown = subprocess.run(
        [sys.executable, "-c", code + "sys.exit(main(['cert', 'show', sys.argv[2]]))", str(tmp_path), str(sample)],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "LANG": "C.UTF-8"},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "mydataServer" in shown.stdout
