"""A template is compiled once in a process, and anew where its text is another."""

from __future__ import annotations

from typing import Any

from jinja2 import DictLoader, Environment

from ingam.page.compiled import Compiled


class Counting(Environment):
    """Counts what it compiles."""

    compiled = 0

    def compile(self, *given: Any, **named: Any) -> Any:
        self.compiled += 1
        return super().compile(*given, **named)


def shown(kept: Compiled, text: str) -> tuple[str, int]:
    """What a new environment shows of the template, and how many it compiled for it."""
    environment = Counting(loader=DictLoader({"page.html": text}), autoescape=True, bytecode_cache=kept)
    return environment.get_template("page.html").render(name="<b>"), environment.compiled


def test_a_second_application_compiles_nothing() -> None:
    kept = Compiled()
    assert shown(kept, "A {{ name }}") == ("A &lt;b&gt;", 1)
    assert shown(kept, "A {{ name }}") == ("A &lt;b&gt;", 0)


def test_another_text_of_the_same_name_is_compiled_anew() -> None:
    kept = Compiled()
    shown(kept, "A {{ name }}")
    assert shown(kept, "B {{ name }}") == ("B &lt;b&gt;", 1)
