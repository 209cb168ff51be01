"""The voice: sentences as 8 kHz μ-law of one level, from espeak-ng or from recordings, or a clear refusal."""

from __future__ import annotations

import asyncio
import io
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ports.telephones import CALL

from ingam.adapters.ars import prompts
from ingam.adapters.ars.prompts import Espeak, Recorded
from ingam.adapters.ars.voice import lines
from ingam.ports.ars import ArsOutage
from ingam.protocols.sip import pcmu


def wav(samples: list[float], rate: int = 16000, channels: int = 1, width: int = 2) -> bytes:
    kept = io.BytesIO()
    with wave.open(kept, "wb") as one:
        one.setnchannels(channels)
        one.setsampwidth(width)
        one.setframerate(rate)
        one.writeframes(np.array(samples, "<i2").repeat(channels).tobytes())
    return kept.getvalue()


def tone(hertz: float, rate: int, seconds: float = 0.5, loud: float = 3000) -> list[float]:
    return [loud * np.sin(2 * np.pi * hertz * n / rate) for n in range(int(rate * seconds))]


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_espeak_says_every_sentence_and_says_it_once(lang: str) -> None:
    said, voice = lines(replace(CALL, lang=lang)), Espeak()

    async def walk() -> list[bytes]:
        return [
            await voice.clip(text, lang)
            for text in (said.opening if lang == "ko" else said.wrong, said.asking, said.asking)
        ]

    opening, asking, again = asyncio.run(walk())
    assert asking is again
    for clip in (opening, asking):
        sound = np.array(pcmu.decode(clip)) / 32768
        assert 2 < len(sound) / 8000 < 25
        assert 0.6 < np.abs(sound).max() < 0.8
        assert 0.02 < np.sqrt((sound**2).mean()) < 0.4


def test_text_is_never_an_option_of_espeak() -> None:
    async def walk() -> tuple[bytes, bytes]:
        voice = Espeak()
        return await voice.clip("--help", "ko"), await voice.clip("-w /dev/null 하나", "ko")

    assert all(len(clip) > 1600 for clip in asyncio.run(walk()))


def test_without_a_voice_it_is_an_outage_that_says_so() -> None:
    voice = Espeak("espeak-that-is-not-here")
    assert not voice.installed
    with pytest.raises(ArsOutage) as raised:
        asyncio.run(voice.clip("하나", "ko"))
    assert raised.value.facts == {"cause": "voice-missing"} and raised.value.code == "ars-outage"


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_recording_of_any_rate_is_the_same_sound_at_eight_kilohertz(rate: int, channels: int) -> None:
    sound = np.array(pcmu.decode(prompts.telephone(wav(tone(440, rate), rate, channels)))) / 32768
    assert abs(len(sound) - 4000) <= 2
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    assert abs(spectrum.argmax() * 8000 / len(sound) - 440) < 4
    assert 0.65 < np.abs(sound).max() < 0.75


def test_what_eight_kilohertz_cannot_hold_is_taken_away_and_does_not_fold_back() -> None:
    mixed = [a + b for a, b in zip(tone(440, 48000), tone(7000, 48000), strict=True)]
    sound = np.array(pcmu.decode(prompts.telephone(wav(mixed, 48000)))) / 32768
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    at = [int(hertz * len(sound) / 8000) for hertz in (440, 1000)]
    assert spectrum[at[1] - 5 : at[1] + 6].max() < spectrum[at[0] - 5 : at[0] + 6].max() / 100


def test_recordings_are_found_by_their_sentence_and_the_rest_is_spoken(tmp_path: Path) -> None:
    (tmp_path / "one.wav").write_bytes(wav(tone(440, 8000), 8000))
    (tmp_path / "index.toml").write_text('[ko]\n"하나" = "one.wav"\n', encoding="utf-8")
    voice = Recorded(tmp_path, Espeak("espeak-that-is-not-here"))
    assert len(asyncio.run(voice.clip("하나", "ko"))) == 4000
    for text, lang in (("둘", "ko"), ("하나", "en")):
        with pytest.raises(ArsOutage):
            asyncio.run(voice.clip(text, lang))


@pytest.mark.parametrize("data", [b"", b"RIFF", wav([0.0], width=2)[:30], wav(tone(1, 8000), 7999), b"ID3" * 100])
def test_what_is_no_recording_is_refused(data: bytes) -> None:
    with pytest.raises(ArsOutage) as raised:
        prompts.telephone(data)
    assert raised.value.facts == {"cause": "voice-malformed"}


@given(st.binary(max_size=120))
def test_any_bytes_are_a_recording_or_refused(data: bytes) -> None:
    for one in (data, wav([1.0] * 20)[: len(data)] + data):
        try:
            prompts.telephone(one)
        except ArsOutage:
            continue
