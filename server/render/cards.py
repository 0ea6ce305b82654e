"""Cards as views: fixed texts filled with a country's numbers. Nothing here is generated."""

from typing import Any

from server.corpus import ContextCard, Corpus
from server.wording import Wording

View = dict[str, Any]
OUTSIDE = "Safety note, not from the study summaries. "


def _fixed_card(identifier: str, country: str | None, wording: Wording, drug: str) -> View:
    raw = wording.cards[identifier]

    def fill(text: str) -> str:
        return wording.fill(text, country, drug=drug)

    return {
        "id": identifier,
        "title": fill(raw["title"]),
        "urgency": raw["urgency"],
        "paragraphs": [fill(paragraph) for paragraph in raw["paragraphs"]],
        "steps": [fill(step) for step in raw["steps"]],
        "help_lines": wording.lines(country, tuple(raw["lines"])),
        "links": [],
        "authority": None,
        "dated": None,
        "outside_sources": False,
        "signed_by": list(raw["signed_by"]),
    }


def _context_card(card: ContextCard, country: str | None, wording: Wording, drug: str) -> View:
    text = wording.fill(card.text, country, drug=drug)
    outside = text.startswith(OUTSIDE)
    return {
        "id": card.id,
        "title": card.title,
        "urgency": card.urgency,
        "paragraphs": [text.removeprefix(OUTSIDE), *([card.seen] if card.seen else [])],
        "steps": [],
        "help_lines": wording.lines(country, card.lines) if card.lines else [],
        "links": [card.link.model_dump()] if card.link else [],
        "authority": card.authority if outside else None,
        "dated": card.dated,
        "outside_sources": outside,
        "signed_by": list(card.signed_by),
    }


def card_view(identifier: str | None, country: str | None, wording: Wording, corpus: Corpus) -> View | None:
    """The card by id, the topic's own notes before the common cards; None for None. Raises KeyError."""
    if identifier is None:
        return None
    drug = corpus.topic.drug
    if identifier in corpus.context:
        return _context_card(corpus.context[identifier], country, wording, drug)
    return _fixed_card(identifier, country, wording, drug)


def card_text(card: View) -> str:
    """The card's words as one text: paragraphs and steps, one a line."""
    opening = [OUTSIDE.strip()] if card["outside_sources"] else []
    return "\n".join([*opening, *card["paragraphs"], *[f"- {step}" for step in card["steps"]]])
