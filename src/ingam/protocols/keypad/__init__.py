"""가상키보드 for fields that the server reads: its layout, and how what was typed is sealed (security E12)."""

from ingam.protocols.keypad.layout import Key, Kind, Layout, layout
from ingam.protocols.keypad.sealing import (
    BLOB,
    PLAIN,
    KeypadKey,
    KeypadUnreadable,
    Pressed,
    Where,
    key_id_of,
    packed,
    seal,
    seal_info,
    unpacked,
)

__all__ = [
    "BLOB",
    "PLAIN",
    "Key",
    "KeypadKey",
    "KeypadUnreadable",
    "Kind",
    "Layout",
    "Pressed",
    "Where",
    "key_id_of",
    "layout",
    "packed",
    "seal",
    "seal_info",
    "unpacked",
]
