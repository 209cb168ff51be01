"""Where answers are signed: a few threads beside the loop, and how many may wait for them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from ingam.ports.signing import Intent, Signer


class SigningRoom:
    """Signs off the loop. OpenSSL and a token leave the interpreter free meanwhile."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, "ocsp-signing")
        self.waiting = 0

    async def sign(self, signer: Signer, tbs: bytes) -> bytes:
        """The signature over prepared bytes. Raises SigningOutage."""
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, signer.sign, Intent.of(tbs))
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """Waits for what is being signed."""
        self._pool.shutdown(cancel_futures=True)
