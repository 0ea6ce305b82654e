"""A reply as the JSON of `POST /api/ask` (design: contracts.md)."""

from typing import Any

from server.render.cards import card_text
from server.render.text import to_text

View = dict[str, Any]
_LINE = ("name", "call", "text", "url", "verified_on")
_SOURCE = ("key", "title", "authors", "year", "url", "kind", "people")


def help_line(line: View) -> View:
    """A help line with the contract's five fields."""
    return {key: line[key] for key in _LINE}


def card(view: View | None) -> View | None:
    """A card with the contract's fields."""
    if view is None:
        return None
    return {
        "id": view["id"],
        "title": view["title"],
        "urgency": view["urgency"],
        "text": card_text(view),
        "help_lines": [help_line(line) for line in view["help_lines"]],
        "links": view["links"],
        "signed_by": view["signed_by"],
    }


def sentence(view: View) -> View:
    """A sentence with its citations and checks."""
    return {
        "text": view["text"],
        "role": view["role"],
        "composer": view["composer"],
        "citations": [{"passage": c["passage_id"], "source": c["source"]} for c in view["citations"]],
        "checks": view["checks"],
    }


def source(view: View) -> View:
    """A source with its study card and passages."""
    return {
        **{key: view[key] for key in _SOURCE},
        "labels": [label["id"] for label in view["labels"]],
        "study": view["study"],
        "passages": [{key: p[key] for key in ("id", "section", "words", "text")} for p in view["passages"]],
    }


def _conflict(view: View | None) -> View | None:
    if view is None:
        return None
    sides = [{key: value for key, value in side.items() if key != "name"} for side in view["sides"]]
    return {"sides": sides, "why_they_may_differ": view["why_they_may_differ"]}


def to_api(view: View) -> View:
    """The whole response; every field is always present."""
    return {
        "id": view["id"],
        "outcome": view["outcome"],
        "reason": view["reason"],
        "card": card(view["card"]),
        "conflict": _conflict(view["conflict"]),
        "sentences": [sentence(item) for item in view["sentences"]],
        "sources": [source(item) for item in view["sources"]],
        "text": to_text(view),
        "made_with": view["made_with"],
        "timings_ms": view["timings_ms"],
    }
