"""Reads a questions file into typed items. An unknown field is refused, so a typo cannot drop an expectation."""

import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from server.corpus import CorpusError
from server.corpus.load import read_yaml
from server.turn import Outcome

PATTERN = "re:"


class QuestionsError(ValueError):
    """A questions file that cannot be used: one line that names the file, the item and the field."""


class Item(BaseModel):
    """One question (`text`) or dialogue (`turns`, the user's messages) and what a good reply to its end holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    topic: str
    category: str
    answerable: Literal["yes", "partial", "no"]
    text: str | None = None
    turns: tuple[str, ...] = ()
    country: str | None = "US"
    origin: str | None = None
    expected_behaviour: Outcome
    also: tuple[Outcome, ...] = ()
    expected_sources: tuple[str, ...] = ()
    sources_mode: Literal["any", "all", "none"] = "any"
    must_say: tuple[str, ...] = ()
    must_not_say: tuple[str, ...] = ()

    @field_validator("must_say", "must_not_say")
    @classmethod
    def _patterns_compile(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        for entry in entries:
            try:
                re.compile(entry.removeprefix(PATTERN) if entry.startswith(PATTERN) else "")
            except re.error as error:
                raise ValueError(f"{entry!r} is not a regular expression: {error}") from error
        return entries

    @model_validator(mode="after")
    def _is_asked(self) -> Self:
        if (self.text is None) == (not self.turns):
            raise ValueError("needs either text or turns")
        return self

    @property
    def accepted(self) -> frozenset[Outcome]:
        """Every outcome that is right: the expected one and those just as fine."""
        return frozenset((self.expected_behaviour, *self.also))

    @property
    def messages(self) -> tuple[str, ...]:
        """The user's messages, oldest first."""
        return self.turns or (self.text or "",)

    @property
    def not_judged(self) -> int:
        """Expectations that are meanings: a script cannot judge them."""
        return sum(not entry.startswith(PATTERN) for entry in (*self.must_say, *self.must_not_say))


def patterns(entries: tuple[str, ...]) -> list[re.Pattern[str]]:
    """The entries that are regular expressions, compiled without regard to case."""
    return [re.compile(entry.removeprefix(PATTERN), re.IGNORECASE) for entry in entries if entry.startswith(PATTERN)]


def says(error: ValidationError) -> str:
    """The first defect in a few words; never the value, which may be a question's text."""
    first = error.errors()[0]
    field = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        return f"unknown field {field!r}"
    return f"{field}: {first['msg']}" if field else str(first["msg"])


def _item(raw: Any, number: int, name: str) -> Item:
    label = str(raw.get("id", f"item {number}")) if isinstance(raw, dict) else f"item {number}"
    try:
        return Item.model_validate(raw)
    except ValidationError as error:
        raise QuestionsError(f"{name}: {label}: {says(error)}") from None


def read_questions(path: Path) -> tuple[Item, ...]:
    """Every item of the file. Raises QuestionsError, one line."""
    try:
        data = read_yaml(path)
    except CorpusError as error:
        raise QuestionsError(str(error)) from None
    if not isinstance(data, dict) or set(data) != {"items"} or not isinstance(data["items"], list) or not data["items"]:
        raise QuestionsError(f"{path.name}: expected one list named 'items' with at least one item")
    items = tuple(_item(raw, number, path.name) for number, raw in enumerate(data["items"], start=1))
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            raise QuestionsError(f"{path.name}: {item.id}: duplicate id")
        seen.add(item.id)
    return items
