"""A document's Markdown as HTML: headings, paragraphs, lists, tables, quotations and emphasis, and nothing else.

Raw HTML, links, pictures and autolinks are never switched on: what looks like one is shown as the letters it is.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_READER: Final = MarkdownIt("zero", {"html": False, "linkify": False, "typographer": False}).enable(
    ["heading", "list", "blockquote", "table", "emphasis", "escape", "newline"]
)


@lru_cache(maxsize=64)
def html(text: str) -> Markup:
    """Safe HTML of a document without its title, which is the page's own heading."""
    tokens = _without_title(_READER.parse(text))
    _name_cells(tokens)
    return Markup(_READER.renderer.render(tokens, _READER.options, {}))  # noqa: S704 - every text in it is escaped


def _without_title(tokens: list[Token]) -> list[Token]:
    """Without every heading of the first level; a heading is three tokens."""
    titles = [at for at, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h1"]
    dropped = {at + more for at in titles for more in range(3)}
    return [token for at, token in enumerate(tokens) if at not in dropped]


def _name_cells(tokens: list[Token]) -> None:
    """Tables in the look of the center: on a phone each cell says which column it is of."""
    heads: list[str] = []
    column = 0
    for at, token in enumerate(tokens):
        # An alignment would be an inline style, which our own policy refuses (B3).
        token.attrs.pop("style", None)
        match token.type:
            case "table_open":
                heads = []
                token.attrSet("class", "table")
            case "th_open":
                heads.append(tokens[at + 1].content)
                token.attrSet("scope", "col")
            case "tr_open":
                column = 0
            case "td_open":
                token.attrSet("data-head", heads[column])
                column += 1
