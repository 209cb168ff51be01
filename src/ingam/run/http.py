"""The HTTP server's protocol with a bound on what stands before a body; uvicorn's own reads heads without end."""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_MOST: Final = 32 * 1024
"""Bytes of address and headers of one request; a browser's stay below 4 KiB."""

FIELDS_MOST: Final = 100


class HeadTooLarge(Exception):  # noqa: N818 - the parser turns it into `400 Invalid HTTP request received.`
    """More bytes or fields before the body than any request of ours has."""


class BoundedHttp(HttpToolsProtocol):
    """For `uvicorn.run(http=BoundedHttp)`: an endless head ends the connection before it fills the memory."""

    _in_head = True
    _head_ended = False
    _body_ended = False
    _waiting = 0
    _fields = 0

    def data_received(self, data: bytes) -> None:
        """Counts what arrives while a head is unfinished: a field that never ends reaches no callback."""
        self._head_ended = self._body_ended = False
        super().data_received(data)
        # A whole request may come at once, or the last of a body: it ends in a head, and counts nothing for the next.
        waits = self._in_head and not self._head_ended and not self._body_ended
        self._waiting = self._waiting + len(data) if waits else 0
        if self._waiting > HEAD_MOST and not self.transport.is_closing():
            self.send_400_response("Invalid HTTP request received.")

    def on_message_begin(self) -> None:
        self._fields = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields += 1
        if self._fields > FIELDS_MOST:
            raise HeadTooLarge
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_ended = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head = True
        self._body_ended = True
        super().on_message_complete()
