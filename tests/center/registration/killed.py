"""Walks the registration in a process that is killed at a named step; one fork for each step, no clean-up.

`python -m tests.center.registration.killed` reads [[step, url, folder], …] from its input and writes how each ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from tests.center.registration.world import HONG, KIM, Browser, World, opened, party

from ingam.kernel import steps


async def story(world: World, browser: Browser) -> None:
    """Passes every step of STEPS at least once: back, a refusal, a registration, and a replacement."""
    await browser.to_certificate()
    await browser.post("/registration/back")
    world.clock.forward(61)
    await browser.request_code()
    await browser.prove()
    await browser.register(party(KIM))
    await browser.register(party())
    world.clock.forward(61)
    await browser.get("/registration?new=1")
    typed = {"banking_id": HONG.banking_id, "password": "우리-Secret-77", "idn": HONG.idn.reveal()}
    await browser.post("/registration/identify", typed)
    await browser.request_code()
    await browser.prove()
    await browser.register(party(key_name="rsa2048-03", serial=7), replace=True)


async def walk(step: str, url: str, folder: Path) -> None:
    """The story with the step armed."""
    async with opened(url, folder) as world:
        browser = await world.browser()
        kept = {"cookie": browser.client.cookies["ingam-center"], "csrf": browser.csrf, "session": browser.session}
        (folder / "browser.json").write_text(json.dumps(kept))
        steps.arm(step)
        await story(world, browser)


def main() -> None:
    """One fork per step; the parent has started no thread before it forks."""
    ends = {}
    for step, url, folder in json.load(sys.stdin):
        child = os.fork()
        if child == 0:
            asyncio.run(walk(step, url, Path(folder)))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        ends[step] = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    json.dump(ends, sys.stdout)


if __name__ == "__main__":
    main()
