"""Our two small programs over BouncyCastle (Debian's libbcpkix-java): compiled once, and what they say."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.interop.openssl import Said

JARS: Final = [Path("/usr/share/java") / f"{name}.jar" for name in ("bcpkix", "bcprov", "bcutil")]
SOURCES: Final = Path(__file__).with_name("java")
QUICK: Final = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
"""Programs of a second: what is compiled well is compiled in vain."""


@dataclass(frozen=True)
class Programs:
    """A folder of classes."""

    classes: Path

    @classmethod
    def compiled(cls, classes: Path) -> Programs:
        """`javac` of all sources."""
        words = ["javac", "-d", str(classes), "-cp", _path(), *map(str, sorted(SOURCES.glob("*.java")))]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return cls(classes)

    def run(self, name: str, *words: str | Path) -> Said:
        """`java NAME …`"""
        command = ("java", *QUICK, "-cp", _path(self.classes), name, *map(str, words))
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        return Said(command, done.returncode, done.stdout + done.stderr)


def _path(*more: Path) -> str:
    return ":".join(map(str, (*JARS, *more)))
