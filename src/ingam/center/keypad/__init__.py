"""가상키보드로 입력 and the sealing of what is typed: the one place where the center opens it (security E12)."""

from ingam.center.keypad.service import FIELDS, KeypadOver, KeypadRequired, Keypads, keypads
from ingam.center.keypad.web import routes, unsealed

__all__ = ["FIELDS", "KeypadOver", "KeypadRequired", "Keypads", "keypads", "routes", "unsealed"]
