"""Who looks at a page, as far as the layout needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Lang = Literal["ko", "en"]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Set on `request.state.viewer` by the session middleware; the shell sets an anonymous one first.

    `csrf`: the token of forms, None where no session exists. `name`: shown in the header, None when nobody is logged
    in. `level`: "pre", "id" or "cert". `idle_left_s`: seconds until the session ends, None when nobody is logged in.
    `acts_for`: the head of a union, masked, on whose behalf a session acts that nobody proved to be theirs; else "".
    """

    lang: Lang = "ko"
    csrf: str | None = None
    name: str | None = None
    level: str = "pre"
    idle_left_s: int | None = None
    acts_for: str = ""

    @property
    def logged_in(self) -> bool:
        """Whether the header shows a name, the time left and a way out."""
        return self.level != "pre"
