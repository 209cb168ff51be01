"""The routes of 인증서관리: the overview, a page that explains each task and begins it, and the task under way."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam.center.additional_auth.web import posted
from ingam.center.doorway import logged_in, to_login
from ingam.center.management import forms
from ingam.center.management.flow import Kind, Reason
from ingam.center.management.service import Management, reason_of
from ingam.center.task.flow import AwaitingFactor, ChoosingFactor, Confirming, Locked
from ingam.center.task.forms import by, signed, turn_of
from ingam.center.task.web import TaskWeb, errors_of, script_told, visit_of
from ingam.center.walks import TrueStep
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.customer.device.acts import By
from ingam.kernel.errors import Failure
from ingam.page import render, see_other, status_of
from ingam.ports.clock import Clock

TEMPLATES: Final = "ingam.center.management"
ROOT: Final = "/management"
TASK: Final = "/management/task"


class ManagementWeb(TaskWeb):
    """Handlers over the service."""

    def __init__(self, service: Management, auth: AdditionalAuth, clock: Clock, vault_origin: str) -> None:
        super().__init__(TASK, service, auth, clock)
        self._service = service
        self._vault = vault_origin

    def routes(self) -> list[Route]:
        """/management, the pages of its tasks, and /management/task."""
        pages = [Route(f"{ROOT}/{kind}", self.explain, methods=["GET"]) for kind in Kind]
        posts = self._below({"begin": self.begin, "sign": self.sign, "finish": self.finish})
        return [
            Route(ROOT, self.overview, methods=["GET"]),
            *pages,
            Route(TASK, self.show, methods=["GET"]),
            *posts,
        ]

    # ── pages ──

    async def overview(self, request: Request) -> Response:
        """What is registered and what to do next; what this is for whoever is not logged in."""
        told: dict[str, Any] = {"shown": None, "owed": 0, "errors": {}}
        if logged_in(request) is not None:
            visit = visit_of(request)
            told |= {"shown": await self._service.overview(visit), "owed": await self._service.owed(visit)}
        return render(request, "management/overview.html", place="management", **told)

    async def explain(self, request: Request) -> Response:
        """What a task does, and the form that begins it."""
        return await self._explained(request, Kind(request.url.path.rpartition("/")[2]))

    async def _explained(self, request: Request, kind: str, status: int = 200, **facts: Any) -> Response:
        told: dict[str, Any] = {"place": str(kind), "kind": str(kind), "shown": None, "errors": {}, "typed": {}}
        told |= {"done": False, "locked": "", "reasons": list(Reason), "under_way": False, "issued": ()}
        if logged_in(request) is not None:
            visit = visit_of(request)
            end = await self._service.last_end(visit)
            told["shown"] = await self._service.overview(visit)
            told["locked"] = end.cause if isinstance(end, Locked) else ""
            told["done"] = request.query_params.get("done") == "1"
            if kind == Kind.REVOCATION and not told["done"]:
                told["issued"] = await self._service.issued(visit)
            told["under_way"] = (await self._service.here(visit)).task is not None
        return render(request, "management/explain.html", status=status, **(told | facts))

    async def show(self, request: Request) -> Response:
        """The true step of the task that is under way; the overview where there is none."""
        return to_login(request) if logged_in(request) is None else await self._page(request)

    async def begin(self, request: Request) -> Response:
        """A task."""
        fields = await posted(request)
        kind = fields.get("kind", "")
        try:
            await self._service.begin(visit_of(request), forms.task(fields))
        except Failure as failure:
            elsewhere = self._elsewhere(request, failure)
            if elsewhere is not None or kind not in list(Kind):
                return elsewhere or see_other(ROOT)
            typed = {name: fields.get(name, "")[:64] for name in ("binding", "certificate")}
            errors = errors_of(request, failure)
            if typed["certificate"] and "reason" in errors:  # of that card's own group
                errors = {f"reason-{typed['certificate'][:8]}": errors["reason"]}
            return await self._explained(request, kind, status_of(failure), errors=errors, typed=typed)
        return see_other(TASK)

    async def sign(self, request: Request) -> Response:
        """What a key signs, as JSON; the certificate window asks here too."""
        fields = await posted(request)
        try:
            asked = await self._service.challenge(visit_of(request), turn_of(fields), by(fields))
        except Failure as failure:
            return script_told(request, failure)
        return JSONResponse(asked)

    async def finish(self, request: Request) -> Response:
        """The last press."""
        fields = await posted(request)
        try:
            done = await self._service.finish(visit_of(request), turn_of(fields), signed(fields))
        except Failure as failure:
            return await self._failed(request, failure)
        return see_other(f"{ROOT}/{done}?done=1")

    # ── the true step ──

    async def _page(self, request: Request, status: int = 200, *, chosen: str = "", **facts: Any) -> Response:
        visit = visit_of(request)
        here = await self._service.here(visit)
        state, task = here.state, here.task
        if task is None:
            # Locked: the page of its task says why; which one it was is not kept.
            stopped = isinstance(await self._service.last_end(visit), Locked)
            return see_other(f"{ROOT}/{Kind.RELEASE}" if stopped else ROOT)
        told: dict[str, Any] = {"errors": {}, "place": task.kind, "here": here, "state": state, "task": task}
        told |= {"one": await self._service.about(visit, task), "vault_origin": self._vault}
        told["beside"] = None
        if isinstance(state, ChoosingFactor | AwaitingFactor):
            told |= await self._factor(request, state, chosen)
            return render(request, "management/factor.html", status=status, **(told | facts))
        if not isinstance(state, Confirming):
            raise TrueStep
        told |= {"reason": reason_of(task), "By": By, "ways": (), "text": ""}
        told["beside"] = await self._service.about_issued(visit, task)
        if task.kind == Kind.RELEASE and told["one"] is not None:
            told |= {"ways": await self._service.ways(visit), "text": await self._service.text(visit, task)}
        return render(request, "management/confirm.html", status=status, **(told | facts))
