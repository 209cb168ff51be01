"""Further heads of a demo union: told where the center gives them a place, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.sandbox.conftest import Box

from ingam.run import demo_table
from ingam.sandbox import listing
from ingam.sandbox.people import further_heads, person

LEE, KIM = person("lee"), person("kim")


def test_the_second_head_is_told_with_their_own_number_telephone_and_certificate(kept: Box) -> None:
    told: dict[str, Any] = listing.listing(kept.world.world, kept.demo, 2)
    (head,) = told["heads"]
    assert (head["name"], head["banking_id"], head["slot"]) == (KIM.name, LEE.banking_id, 2)
    assert (head["idn"], head["mobile"]) == (KIM.idn, KIM.mobile)
    assert str(kept.world.newest(head["slug"]).parsed.subject.value("CN")).startswith(KIM.name)
    lines = demo_table.lines(told, Path(kept.demo))
    assert any(KIM.name in line and LEE.banking_id in line for line in lines)
    assert max(demo_table.width(line) for line in lines) <= demo_table.WIDTH


def test_with_one_place_nobody_is_told_of_a_second_head(kept: Box) -> None:
    told = listing.listing(kept.world.world, kept.demo)
    assert told["heads"] == [] and further_heads(1) == []
    assert not any("further heads" in line for line in demo_table.lines(told, Path(kept.demo)))
    assert "head" not in kept.client.get("/").text.partition("<main")[2].split("handset-facts")[1]
