"""Tesseract on this machine: every photograph is read in a process of its own that gives up everything else (F11).

This process decodes nothing: it reads a header, hands the bytes over, and takes text and a picture of bounded length
back. A worker reads one photograph and ends; the next one is made ready meanwhile, so that nobody waits for loading.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from ingam.adapters.card_reader.header import header
from ingam.kernel.errors import Refusal
from ingam.ports.card_reader import (
    FIELDS,
    MOST_BYTES,
    MOST_MASKED_BYTES,
    CardKind,
    CardNotAnImage,
    CardReaderOutage,
    CardTooLarge,
    CardUnreadable,
    CardWrongKind,
    Reading,
)

log = structlog.get_logger()

AT_ONCE: Final = 2
"""Photographs that are read at the same time; each takes a core."""

ANSWER_S: Final = 20.0
"""Of one photograph, from its turn on."""

MOST_WAITING: Final = 32
"""Photographs of at most 6 MiB that wait for their turn; one more is an outage at once."""

MOST_PIXELS: Final = 50_000_000
MOST_SIDE: Final = 12_000
LEAST_SIDE: Final = 240
_END_S: Final = 5.0
_MOST_LINE: Final = 16 * 1024
_MOST_FIELD: Final = 64
_PLACES: Final = (
    "/usr/share/tesseract-ocr",
    "/usr/share/tessdata",
    "/usr/share/tesseract",
    "/usr/local/share/tessdata",
)
_WORKER: Final = ("-I", "-B", "-m", "ingam.adapters.card_reader.worker")
_ALONE: Final = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "OMP_THREAD_LIMIT": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_IO_MAX_IMAGE_PIXELS": str(MOST_PIXELS),
}
"""The worker's whole environment: nothing of ours is in it."""

_REFUSALS: Final[dict[str, type[Refusal]]] = {
    one.code: one for one in (CardUnreadable, CardNotAnImage, CardTooLarge, CardWrongKind)
}


def models() -> Path | None:
    """The folder of kor.traineddata and eng.traineddata (Debian's tesseract-ocr-kor); None where there is none."""
    named = os.environ.get("TESSDATA_PREFIX")
    for place in ([named] if named else []) + list(_PLACES):
        for found in sorted(Path(place).glob("**/kor.traineddata")):
            if (found.parent / "eng.traineddata").exists():
                return found.parent
    return None


def checked(image: bytes) -> None:
    """Raises CardTooLarge, CardNotAnImage or CardUnreadable by a picture's length and first bytes alone."""
    if len(image) > MOST_BYTES:
        raise CardTooLarge(most_mib=MOST_BYTES >> 20)
    claimed = header(image)
    if claimed is None:
        raise CardNotAnImage
    if claimed.wide * claimed.high > MOST_PIXELS or max(claimed.wide, claimed.high) > MOST_SIDE:
        raise CardTooLarge(most_mib=MOST_BYTES >> 20)
    if min(claimed.wide, claimed.high) < LEAST_SIDE:
        raise CardUnreadable


class TesseractReader:
    """`ports.card_reader.CardReader`; belongs to one event loop. `command`: the worker's, without its two words."""

    def __init__(
        self,
        *,
        tessdata: Path | None = None,
        at_once: int = AT_ONCE,
        answer_s: float = ANSWER_S,
        most_waiting: int = MOST_WAITING,
        command: Sequence[str] = (sys.executable, *_WORKER),
    ) -> None:
        self._models = tessdata or models()
        self._command, self._answer_s = tuple(command), answer_s
        self._turns, self._queue, self._most = asyncio.Semaphore(at_once), 0, at_once + most_waiting
        self._spare: asyncio.Task[_Worker] | None = None
        self._told = self._closed = False
        if self._models is None:
            log.warning("card-reader.no-models", meaning="no Korean model of Tesseract is installed; no card is read")

    async def read(self, image: bytes, kind: CardKind) -> Reading:
        checked(image)
        if self._closed or self._queue >= self._most:
            raise CardReaderOutage(cause="closed" if self._closed else "busy")
        self._queue += 1
        try:
            async with self._turns:
                return _reading(*await self._asked(image, kind), kind)
        finally:
            self._queue -= 1

    async def aclose(self) -> None:
        """Ends the worker that is kept ready; what is being read is finished by who asked."""
        self._closed = True
        spare, self._spare = self._spare, None
        if spare is not None:
            with contextlib.suppress(CardReaderOutage):
                await (await spare).end()

    async def __aenter__(self) -> TesseractReader:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _asked(self, image: bytes, kind: CardKind) -> tuple[dict[str, Any], bytes]:
        """The worker's answer; it ends in any case, and its successor is made ready."""
        worker: _Worker | None = None
        try:
            async with asyncio.timeout(self._answer_s):
                worker = await self._ready()
                return await worker.ask(image, kind)
        except TimeoutError:
            raise CardReaderOutage(cause="timeout") from None
        finally:
            if worker is not None:
                await worker.end()
            self._make_ready()

    async def _ready(self) -> _Worker:
        spare, self._spare = self._spare, None
        if spare is not None:
            try:
                worker = await spare
            except CardReaderOutage:
                worker = None
            except asyncio.CancelledError:
                spare.add_done_callback(_end_unwanted)
                raise
            if worker is not None and worker.alive:
                return worker
            if worker is not None:
                await worker.end()
        return await self._begun()

    def _make_ready(self) -> None:
        if self._spare is None and not self._closed and self._models is not None:
            self._spare = asyncio.ensure_future(self._begun())
            self._spare.add_done_callback(_looked_at)

    async def _begun(self) -> _Worker:
        if self._models is None:
            raise CardReaderOutage(cause="no-models")
        worker = await _Worker.begin((*self._command, str(self._models), str(os.getpid())))
        try:
            async with asyncio.timeout(self._answer_s):
                fences = await worker.fences()
        except BaseException as error:
            await worker.end()
            if isinstance(error, TimeoutError):
                raise CardReaderOutage(cause="timeout") from None
            raise
        self._tell(fences)
        return worker

    def _tell(self, fences: list[str]) -> None:
        """Once: what stands around the worker on this machine, and that its network is shut one way or another."""
        if self._told:
            return
        self._told = True
        shut = "network" in fences or "seccomp" in fences
        (log.info if shut else log.warning)(
            "card-reader.fences", stand=fences, network="shut" if shut else "by files only"
        )


class _Worker:
    """One process, for one photograph."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        assert process.stdin is not None and process.stdout is not None
        self._to, self._from = process.stdin, process.stdout

    @classmethod
    async def begin(cls, command: Sequence[str]) -> _Worker:
        try:
            process = await asyncio.create_subprocess_exec(
                *command, env=_ALONE, cwd="/", start_new_session=True, limit=_MOST_LINE,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
        except OSError as error:
            raise CardReaderOutage(cause=type(error).__name__) from None
        return cls(process)

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None and not self._from.at_eof()

    async def fences(self) -> list[str]:
        """What it says when it is ready."""
        told = (await self._line()).get("ready")
        if not isinstance(told, list):
            raise CardReaderOutage(cause="answer-malformed")
        return [str(one)[:32] for one in told[:16]]

    async def ask(self, image: bytes, kind: CardKind) -> tuple[dict[str, Any], bytes]:
        """The answer line and the masked picture."""
        try:
            self._to.write(b"%s\n%d\n" % (kind.value.encode(), len(image)))
            self._to.write(image)
            await self._to.drain()
            told = await self._line()
            length = told.get("masked", 0)
            if not isinstance(length, int) or not 0 <= length <= MOST_MASKED_BYTES:
                raise CardReaderOutage(cause="answer-malformed")
            return told, await self._from.readexactly(length)
        except (ConnectionError, asyncio.IncompleteReadError):
            raise CardReaderOutage(cause="worker-died") from None

    async def end(self) -> None:
        """Kills it, where it has not ended of itself, and waits until it is gone."""
        self._to.close()
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                while await self._from.read(_MOST_LINE):
                    pass  # the end of a process is told only when its output was read to the end
                await self._process.wait()

    async def _line(self) -> dict[str, Any]:
        try:
            line = await self._from.readuntil(b"\n")
            told = msgspec.json.decode(line)
        except asyncio.IncompleteReadError:
            raise CardReaderOutage(cause="worker-died") from None
        except (asyncio.LimitOverrunError, msgspec.DecodeError):
            raise CardReaderOutage(cause="answer-malformed") from None
        if not isinstance(told, dict):
            raise CardReaderOutage(cause="answer-malformed")
        return told


def _reading(told: dict[str, Any], masked: bytes, kind: CardKind) -> Reading:
    """The worker's answer, taken as a stranger's: only known fields, short, and a picture that is a JPEG."""
    refusal = _REFUSALS.get(str(told.get("refused")))
    if refusal is not None:
        raise refusal() if refusal is not CardTooLarge else CardTooLarge(most_mib=MOST_BYTES >> 20)
    fields, sure = told.get("fields"), told.get("sure")
    if not isinstance(fields, dict) or not isinstance(sure, dict) or not masked.startswith(b"\xff\xd8\xff"):
        raise CardReaderOutage(cause="answer-malformed")
    known = {one: str(fields[one])[:_MOST_FIELD] for one in FIELDS[kind] if one in fields}
    return Reading(kind, known, {one: float(sure.get(one, 0)) for one in known}, masked)


def _looked_at(task: asyncio.Task[_Worker]) -> None:
    """A worker that could not be made ready is told by who asks next."""
    if not task.cancelled():
        task.exception()


def _end_unwanted(task: asyncio.Task[_Worker]) -> None:
    if not task.cancelled() and task.exception() is None:
        _ = asyncio.ensure_future(task.result().end())  # noqa: RUF006 - ends with its process
