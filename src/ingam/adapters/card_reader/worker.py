"""The process that reads one photograph and ends: `python -m ingam.adapters.card_reader.worker MODELS PARENT`.

It loads everything, fences itself in, says so on standard output, and waits for one request on standard input. What it
got wrong, or what got into it, ends with it; the next person's card meets a fresh process.

Request: kind, a line feed, the picture's length in decimal, a line feed, the picture. Answers: one JSON line each; the
last one is followed by the masked JPEG of the length that it tells.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import BinaryIO, Final

from ingam.adapters.card_reader import fence

MOST_ANSWER: Final = 512 * 1024


def main(words: list[str]) -> int:
    """0 when an answer was written; 2 for words that are not understood."""
    if len(words) != 2 or not words[1].isdecimal():
        return 2
    parent = int(words[1])
    stand = fence.first(parent)
    from ingam.adapters.card_reader import judging  # the libraries, when their memory is already bounded

    reader = judging.Judge(Path(words[0]))
    reader.warm()
    taken, given = os.fdopen(0, "rb"), os.fdopen(1, "wb")
    _say(given, {"ready": [*stand, *fence.last(parent)]})
    kind = taken.readline(32).decode("ascii").strip()
    image = taken.read(int(taken.readline(16)))
    if kind and image:
        told, masked = reader.judge(image, kind)
        _say(given, told, masked)
    return 0


def _say(given: BinaryIO, told: dict[str, object], masked: bytes = b"") -> None:
    given.write(json.dumps({**told, "masked": len(masked)}, ensure_ascii=False).encode() + b"\n" + masked)
    given.flush()


if __name__ == "__main__":
    code = main(sys.argv[1:])
    os._exit(code)  # nothing is tidied up behind the fence: it may not
