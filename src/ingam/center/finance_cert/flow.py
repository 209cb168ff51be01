"""등록 and 해제 of a 금융인증서 on the table that all tasks share: additional authentication, always."""

from __future__ import annotations

from typing import Final

from ingam.center.task import flow
from ingam.center.task.flow import Event, State, Task
from ingam.kernel.flow import Machine

REGISTER: Final = Task("register")
RELEASE: Final = Task("release")
TASKS: Final = {one.kind: one for one in (REGISTER, RELEASE)}

FINANCE: Final[Machine[State, Event]] = flow.machine("finance", flow.PROVED)
