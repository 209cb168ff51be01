"""Every route of the console with every role, and with none: who comes in, who does not, and that it is written down.

ROUTES is the whole of it: a route that is not in it fails the test, so nobody adds one without saying for whom it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.routing import Route
from tests.console.world import Desk, World, told

from ingam.console.operators import Role
from ingam.ports.store import Save, Update

OPEN: Final = frozenset(
    {
        "GET /login", "POST /login", "POST /login/options", "GET /enrol", "POST /enrol", "POST /enrol/options",
        "GET /static/{name}", "POST /language", "GET /healthz",
    }
)  # fmt: skip
"""Before a passkey was shown. None of them tells of an operator or a customer."""

C, S, A, M = Role.CLERK, Role.SECURITY, Role.AUDITOR, Role.ADMINISTRATOR
EVERY: Final = frozenset(Role)
ROUTES: Final = {
    "GET /": EVERY,
    "POST /logout": EVERY,
    "POST /session/extend": EVERY,
    "GET /codes": EVERY,
    "GET /availability": EVERY,
    "GET /availability/way/{way}": {S, M},
    "POST /availability/way/{way}": {S, M},
    "POST /availability/notice": {S, M},
    "POST /availability/notice/{notice}/withdraw": {S, M},
    "GET /desk": {C, S, A},
    "POST /desk": {C, S, A},
    "GET /customers/{customer}": {C, S, A},
    "POST /customers/{customer}/unlock": {C, S},
    "GET /customers/{customer}/fields": {C, S},
    "POST /customers/{customer}/fields": {C, S},
    "GET /numbers": {C},
    "POST /numbers/{number}/void": {C},
    "GET /customers/{customer}/number": {C},
    "POST /customers/{customer}/number": {C},
    "GET /revocations": {S, A},
    "GET /customers/{customer}/revocation": {S},
    "POST /customers/{customer}/revocation": {S},
    "GET /fees": {S, A, M},
    "GET /fees/{charge}": {S, A},
    "POST /fees/{charge}": {S, A},
    "GET /imports": {S, A, M},
    "GET /pictures": EVERY,
    "GET /changes": {S, A, M},
    "GET /changes/{change}": {S, A, M},
    "POST /changes/{change}/submit": {S, A, M},
    "POST /changes/{change}/approve": {S, A, M},
    "POST /changes/{change}/decline": {S, A, M},
    "POST /changes/{change}/withdraw": {S, A, M},
    "GET /policy": {S, A, M},
    "POST /policy/limits": {S},
    "POST /policy/{name}": {S, M},
    "GET /operators": {S, A, M},
    "GET /operators/{employee}": {S, A, M},
    "POST /operators": {M},
    "GET /audit": {S, A},
    "POST /audit": {S, A},
    "GET /exports": {S, A},
    "POST /exports": {S, A},
    "POST /exports/{change}": {S, A},
}
LAST: Final = "POST /logout"
"""It ends the session, so it is asked last."""


def named(world: World) -> list[str]:
    routes = [one for one in world.app.routes if isinstance(one, Route)]
    assert len(routes) == len(world.app.routes), "a mount: its routes would be walked by nobody"
    return [f"{method} {one.path}" for one in routes for method in sorted(one.methods or ()) if method != "HEAD"]


def concrete(route: str) -> tuple[str, str]:
    method, _, path = route.partition(" ")
    return method, "/".join("x" if part.startswith("{") else part for part in path.split("/"))


async def asked(desk: Desk, route: str) -> tuple[int, str]:
    method, path = concrete(route)
    answer = await (desk.get(path) if method == "GET" else desk.send(path))
    return answer.status_code, answer.headers.get("location", "")


async def only(world: World, who: str, role: Role) -> Desk:
    """An operator who has this role and no other."""
    desk = await world.signed_in(who)
    employee = {"security": "E1001", "administrator": "E1002"}.get(who)
    if employee is not None:
        await world.ports.store.save(Save(rows=[Update("operator", {"employee": employee}, {"roles": str(role)})]))
    return desk


def test_G2_every_route_is_for_whom_the_table_says_and_for_nobody_else(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        every = named(world)
        assert set(every) - OPEN == set(ROUTES), "a route without a line in the table, or a line without a route"
        assert len(every) == len(set(every)), "two routes of one name: only the first is ever asked"
        for who, role in (("clerk", C), ("security", S), ("auditor", A), ("administrator", M)):
            desk = await only(world, who, role)
            for route in sorted(ROUTES, key=lambda one: one == LAST):
                before = len(await world.audit("console.forbidden"))
                status, _ = await asked(desk, route)
                refused = len(await world.audit("console.forbidden")) > before
                assert (status == 403, refused) == ((role not in ROUTES[route],) * 2), (role, route, status)

    told(tmp_path, story)


def test_G1_every_route_leads_somebody_without_a_passkey_to_the_login(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        for route in ROUTES:
            desk = world.desk()
            await desk.get("/login")
            status, where = await asked(desk, route)
            assert status == 303 and where.startswith("/login"), route

    told(tmp_path, story)


def test_F3_no_post_goes_without_this_sessions_token_and_this_origin(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk, other = await world.signed_in("clerk"), await world.signed_in("third")
        await desk.get("/")
        await other.get("/")
        for route in (*OPEN, *ROUTES):
            method, path = concrete(route)
            if method == "GET" or not (route in OPEN or C in ROUTES[route]):
                continue
            for fields, headers in (
                ({"csrf": ""}, {}),
                ({"csrf": other.csrf}, {}),
                ({}, {"Origin": "http://localhost:8700"}),
                ({}, {"Origin": "null", "Sec_Fetch_Site": "cross-site"}),
                ({}, {"Sec_Fetch_Site": "same-site"}),
            ):
                sent = desk.csrf
                answer = await desk.send(path, fields, **headers)
                desk.csrf = sent
                assert answer.status_code == 403, (route, fields, headers)

    told(tmp_path, story)
