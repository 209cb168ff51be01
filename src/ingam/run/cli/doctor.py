"""`ingam doctor --bundle URL …`: whether every address serves the vault that was built here (security B4).

The vault's `files.json` lists its files with their SHA-256; the SHA-256 of that listing is the bundle's name, which
the center shows at the foot of every page. Nothing is run: files are fetched, hashed and compared.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ingam.run.cli.examples import exampled_alone

BUILT: Final = Path(__file__).resolve().parents[4] / "build" / "browser" / "manifest.json"
SAME, USAGE, DIFFERENT, AWAY = 0, 2, 6, 7
LARGEST: Final = 8 * 1024 * 1024
SECONDS: Final = 10
LISTING: Final = "files.json"

EXIT_CODES: Final = "exit codes: 0 all the same, 2 usage, 6 something differs, 7 an address does not answer"


def main(argv: Sequence[str]) -> int:
    """Run `ingam doctor …`; returns the exit code that --help documents."""
    try:
        options = _parser().parse_args(list(argv))
    except SystemExit as ended:
        return int(ended.code or 0)
    expected = options.expect or _built()
    found = [_examine(url.rstrip("/"), expected) for url in options.bundle]
    _tell(found, expected, as_json=options.json)
    states, names = {state for _, _, state in found}, {name for _, name, _ in found}
    if "away" in states:
        return AWAY
    return SAME if states == {"same"} and len(names) == 1 else DIFFERENT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ingam doctor", description=__doc__, epilog=EXIT_CODES)
    parser.add_argument("--bundle", metavar="URL", nargs="+", required=True, help="origins that serve a vault")
    parser.add_argument("--expect", metavar="SHA256", help="the bundle's name (else that of the build beside this)")
    parser.add_argument("--json", action="store_true")
    return exampled_alone(parser)


def _built() -> str | None:
    try:
        return str(json.loads(BUILT.read_text(encoding="utf-8"))["vault"]["bundle"])
    except (OSError, KeyError, ValueError):
        return None


def _examine(origin: str, expected: str | None) -> tuple[str, str, str]:
    """Origin, the name of what it serves, and `same`, `different`, `damaged` or `away`."""
    try:
        listing = _fetch(f"{origin}/{LISTING}")
        files: dict[str, str] = json.loads(listing)
        whole = all(hashlib.sha256(_fetch(f"{origin}/{name}")).hexdigest() == digest for name, digest in files.items())
    except (OSError, urllib.error.URLError):
        return origin, "-", "away"
    except (ValueError, AttributeError):
        return origin, "-", "damaged"
    name = hashlib.sha256(listing).hexdigest()
    if not whole:
        return origin, name, "damaged"
    return origin, name, "same" if expected in (None, name) else "different"


def _fetch(url: str) -> bytes:
    if not url.startswith(("http://", "https://")):
        raise OSError(url)
    with urllib.request.urlopen(url, timeout=SECONDS) as answer:  # noqa: S310 - the scheme is checked above
        found: bytes = answer.read(LARGEST + 1)
    if len(found) > LARGEST:
        raise ValueError
    return found


def _tell(found: list[tuple[str, str, str]], expected: str | None, *, as_json: bool) -> None:
    if as_json:
        rows = [{"origin": origin, "bundle": name, "state": state} for origin, name, state in found]
        print(json.dumps({"expected": expected, "served": rows}, indent=1))
        return
    print(f"expected   {expected or '(no build here: the addresses are compared with each other)'}", file=sys.stdout)
    for origin, name, state in found:
        print(f"{state:<10} {name}  {origin}")
