"""The voice of a call: sentences by espeak-ng, or recorded WAV files by an index; 8 kHz μ-law, made once and kept.

A folder of recordings has `index.toml`: a table for each language, {"the exact sentence" = "file.wav"}. What it does
not have is spoken by espeak-ng where that is installed, else the call is an outage before any telephone rings.
"""

from __future__ import annotations

import asyncio
import shutil
import tomllib
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ingam.ports.ars import ArsOutage
from ingam.protocols.sip import pcmu

COMMAND: Final = "espeak-ng"
WORDS_A_MINUTE: Final = 140
"""Slower than espeak-ng's own 175: people listen at a telephone, and some are old."""

SPEAKING_S: Final = 10.0
KEPT: Final = 256
PEAK: Final = 0.7
"""Of full scale: loud, and never cut off."""

LONGEST_WAV: Final = 8 * 1024 * 1024
_TAPS: Final = 24
_AT_ONCE: Final = 4096
"""Samples that are made in one step, so that a long sentence takes no more memory than a short one."""


class Voice(Protocol):
    """Sentences as sound."""

    async def clip(self, text: str, lang: str) -> bytes:
        """8 kHz PCMU. Raises ArsOutage."""


class VoiceMissing(ArsOutage):
    """There is no voice for a sentence: no recording, and no espeak-ng."""

    def __init__(self) -> None:
        super().__init__(cause="voice-missing")


class Espeak:
    """Speaks every sentence; the newest KEPT are remembered."""

    def __init__(self, command: str = COMMAND) -> None:
        self._command = command
        self._kept: dict[tuple[str, str], bytes] = {}

    @property
    def installed(self) -> bool:
        """Whether there is an espeak-ng."""
        return shutil.which(self._command) is not None

    async def clip(self, text: str, lang: str) -> bytes:
        """As the port says."""
        found = self._kept.get((text, lang))
        if found is None:
            found = await asyncio.to_thread(telephone, await self._spoken(text, lang))
            self._kept[text, lang] = found
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
        return found

    async def _spoken(self, text: str, lang: str) -> bytes:
        """The sentence goes in as text and never as an option."""
        words = [self._command, "-v", lang, "-s", str(WORDS_A_MINUTE), "-b", "1", "--stdin", "--stdout"]
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *words, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
            )
        except OSError:
            raise VoiceMissing from None
        try:
            async with asyncio.timeout(SPEAKING_S):
                spoken, _ = await process.communicate(text.encode())
        except TimeoutError:
            process.kill()
            raise ArsOutage(cause="voice-timeout") from None
        if process.returncode != 0:
            raise ArsOutage(cause="voice-failed")
        return spoken


class Recorded:
    """Recordings of a folder; `otherwise` speaks what it does not have. Raises OSError, ValueError or ArsOutage."""

    def __init__(self, folder: Path, otherwise: Voice) -> None:
        index: dict[str, Any] = tomllib.loads((folder / "index.toml").read_text(encoding="utf-8"))
        self._otherwise = otherwise
        self._kept = {
            (text, lang): telephone((folder / Path(name).name).read_bytes())
            for lang, sentences in index.items()
            for text, name in sentences.items()
        }

    async def clip(self, text: str, lang: str) -> bytes:
        """As the port says."""
        found = self._kept.get((text, lang))
        return found if found is not None else await self._otherwise.clip(text, lang)


def telephone(wav: bytes) -> bytes:
    """A WAV file of 16-bit PCM, mono or the mean of its channels, as 8 kHz PCMU at one level.

    Raises ArsOutage (cause `voice-malformed`) for anything else.
    """
    try:
        rate, samples = _read(wav)
    except (ValueError, IndexError):
        raise ArsOutage(cause="voice-malformed") from None
    at8k = _resampled(samples, rate)
    loudest = float(np.abs(at8k).max(initial=0.0))
    level = at8k * (PEAK * 32767 / loudest) if loudest > 0 else at8k
    return pcmu.encode(level.round().astype(np.int16).tolist())


def _read(wav: bytes) -> tuple[int, NDArray[np.float64]]:
    """Rate and samples. espeak-ng writes to a pipe and so does not know its length: what is there is what counts."""
    if len(wav) > LONGEST_WAV or wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise ValueError(wav[:4])
    at, channels, rate = 12, 0, 0
    while True:
        kind, length = wav[at : at + 4], int.from_bytes(wav[at + 4 : at + 8], "little")
        at += 8
        if kind == b"fmt ":
            coding, channels, rate, bits = (
                int.from_bytes(wav[at + a : at + b], "little") for a, b in ((0, 2), (2, 4), (4, 8), (14, 16))
            )
            if coding != 1 or bits != 16 or not 1 <= channels <= 2 or not 8000 <= rate <= 48000:
                raise ValueError(coding)
        elif kind == b"data" and channels:
            body = wav[at : at + length]
            whole = len(body) - len(body) % (2 * channels)
            return rate, np.frombuffer(body[:whole], "<i2").reshape(-1, channels).mean(axis=1)
        elif len(kind) < 4:
            raise ValueError(kind)
        at += length + length % 2


def _resampled(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """To 8 kHz by windowed sinc, which takes away what 8 kHz cannot hold."""
    if rate == pcmu.RATE or not len(samples):
        return samples
    step = rate / pcmu.RATE
    padded = np.concatenate([np.zeros(_TAPS), samples, np.zeros(_TAPS + 2)])
    centres = np.arange(int(len(samples) / step), dtype=np.float64) * step
    parts = [_weighed(padded, centres[at : at + _AT_ONCE], step) for at in range(0, len(centres), _AT_ONCE)]
    return np.concatenate(parts) if parts else samples[:0]


def _weighed(padded: NDArray[np.float64], centres: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    near = np.floor(centres).astype(np.int64)[:, None] + np.arange(-_TAPS, _TAPS + 1)[None, :]
    distance = near - centres[:, None]
    weights = np.sinc(distance / step) / step * (0.5 + 0.5 * np.cos(np.pi * distance / (_TAPS + 1)))
    made: NDArray[np.float64] = (padded[near + _TAPS] * weights).sum(axis=1)
    return made
