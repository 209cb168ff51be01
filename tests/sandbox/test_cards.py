"""The demo people's identity cards."""

from __future__ import annotations

import io
import os

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

os.environ.setdefault("OMP_THREAD_LIMIT", "1")

from ingam.adapters.card_reader import tesseract
from ingam.adapters.card_reader.judging import Judge
from ingam.sandbox import cards_web
from ingam.sandbox.cards import HEIGHT, WIDTH
from ingam.sandbox.cards_web import UnknownCard
from ingam.sandbox.parties import plain_failure
from ingam.sandbox.people import PEOPLE, person

READ = (("hong", "resident"), ("han", "resident"), ("kim", "licence"), ("mia", "licence"))
"""A usual name, a long one, a licence, a long Latin name."""


@pytest.fixture
def client() -> TestClient:
    """The route alone."""
    return TestClient(Starlette(routes=cards_web.routes(), exception_handlers={UnknownCard: plain_failure}))


def test_a_card_is_a_picture_of_the_size_of_a_card(client: TestClient) -> None:
    answer = client.get("/cards/hong/resident.png")
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (WIDTH, HEIGHT)


@pytest.mark.parametrize("path", ["nobody/resident", "gaon/licence", "alex/resident", "hong/passport"])
def test_who_has_no_such_card_gets_none(client: TestClient, path: str) -> None:
    assert client.get(f"/cards/{path}.png").status_code == 404


@pytest.fixture(scope="module")
def judge() -> Judge:
    """What reads cards."""
    models = tesseract.models()
    assert models is not None
    return Judge(models)


def test_everybody_who_has_a_card_gets_one_drawn() -> None:
    for one in PEOPLE:
        for kind, held in (("resident", one.resident_card), ("licence", one.licence)):
            if held is not None:
                assert cards_web.drawn(one, kind)


@pytest.mark.parametrize(("key", "kind"), READ)
def test_a_demo_card_is_read_as_it_is(judge: Judge, key: str, kind: str) -> None:
    one = person(key)
    told, kept = judge.judge(cards_web.drawn(one, kind), kind)
    read = told["fields"]
    assert isinstance(read, dict)
    assert kept
    assert read["name"].replace(" ", "") == one.name.replace(" ", "")
    if kind == "resident":
        assert one.resident_card is not None
        assert (read["idn"], read["issued_on"]) == (one.idn, f"{one.resident_card.issued_on:%Y%m%d}")
    else:
        assert one.licence is not None
        assert read["birth_date"] == f"{one.birth_date:%Y%m%d}"
        assert (read["number"].replace("-", ""), read["serial"]) == (one.licence.number, one.licence.serial)
