"""The one refusal of this package: the variable that is wrong, by its name."""

from __future__ import annotations

from ingam.kernel.errors import Refusal


class SettingsRefused(Refusal):
    """The settings contradict themselves or are not for production; the process does not start."""

    code = "settings-refused"
