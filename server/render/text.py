"""A reply as plain text, in reading order: what an assistant message of the dialogue holds, and what is copied."""

from typing import Any

from server.render.cards import card_text

View = dict[str, Any]


def line_text(line: View) -> str:
    """One help line in one line of text."""
    ways = [
        f"call {line['call']}" if line["call"] else "",
        f"text {line['text']}" if line["text"] else "",
        line["url"] or "",
    ]
    return f"{line['name']}: " + ", ".join(way for way in ways if way)


def _card(card: View) -> list[str]:
    links = [f"{link['title']}: {link['url']}" for link in card["links"]]
    source = [f"From: {card['authority']}"] if card["authority"] else []
    return [
        card["title"],
        card_text(card),
        *[line_text(line) for line in card["help_lines"]],
        *links,
        *source,
    ]


def _sentence(item: View) -> str:
    marks = "".join(f" {mark}" for mark in dict.fromkeys(cite["mark"] for cite in item["citations"]))
    return f"{item['text']}{marks}"


def _source(source: View) -> str:
    labels = "".join(f"; {label['name'].lower()}" for label in source["labels"])
    return f"[{source['n']}] {source['name']} ({source['kind']}{labels}). {source['url'] or 'No address known.'}"


def to_text(view: View) -> str:
    """Card with its lines, language text, sentences with [1] marks, both sides of a conflict, sources with links."""
    parts: list[list[str]] = []
    if view["card"]:
        parts.append(_card(view["card"]))
    if view["language"]:
        parts.append(view["language"]["text"])
    if view["sentences"]:
        said: list[str] = []
        for group in view["groups"]:
            said += ([group["heading"] + ":"] if group["heading"] else []) + [_sentence(s) for s in group["sentences"]]
        parts.append(said)
    if view["conflict"]:
        sides = [f"{side['name']}: {side['finding']}" for side in view["conflict"]["sides"]]
        parts.append(["The sources differ:", *sides, view["conflict"]["why_they_may_differ"]])
    if view["sources"]:
        parts.append(["Sources:", *[_source(source) for source in view["sources"]]])
    return "\n\n".join("\n".join(part) for part in parts)
