"""The shapes of responses, for the OpenAPI document (design: contracts.md)."""

from typing import Literal

from pydantic import BaseModel

from server.turn import Outcome, Role


class HelpLine(BaseModel):
    """A help line; `verified_on` is null where nobody checked it live."""

    name: str
    call: str | None
    text: str | None
    url: str | None
    verified_on: str | None


class Problem(BaseModel):
    """What is wrong with a field; never its value."""

    field: str
    problem: str


class Refusal(BaseModel):
    """The body of every 4xx and 5xx."""

    detail: str | list[Problem]
    message: str
    help_lines: list[HelpLine]


class Link(BaseModel):
    """A link on a card."""

    title: str
    url: str
    checked_on: str | None


class Card(BaseModel):
    """A fixed card."""

    id: str
    title: str
    urgency: Literal["emergency", "urgent", "note"]
    text: str
    help_lines: list[HelpLine]
    links: list[Link]
    signed_by: list[str]


class Citation(BaseModel):
    """A passage that a sentence rests on."""

    passage: str
    source: str


class Checks(BaseModel):
    """What verify found; support is null for `fixed` and `next_step`."""

    support: float | None
    figures: bool
    labels: bool
    wording: bool


class SentenceOut(BaseModel):
    """One sentence of the answer."""

    text: str
    role: Role
    composer: str
    citations: list[Citation]
    checks: Checks


class StudyPoint(BaseModel):
    """One point of a study card."""

    point: str
    value: str
    passage: str | None


class PassageOut(BaseModel):
    """A passage and whose words it is."""

    id: str
    section: str
    words: Literal["review", "our_summary", "publisher"]
    text: str


class SourceOut(BaseModel):
    """A source; null means not known."""

    key: str
    title: str | None
    authors: str | None
    year: int | None
    url: str | None
    kind: str
    people: int | None
    labels: list[str]
    study: list[StudyPoint]
    passages: list[PassageOut]


class SideOut(BaseModel):
    """One side of a conflict."""

    source: str
    people: int | None
    compared_with: str | None
    when: str | None
    finding: str
    passage: str


class ConflictOut(BaseModel):
    """Where sources differ."""

    sides: list[SideOut]
    why_they_may_differ: str


class MadeWith(BaseModel):
    """What made the answer."""

    version: str
    corpus: str
    prompts: str
    chat_model: str | None


class AskResponse(BaseModel):
    """The reply."""

    id: str
    outcome: Outcome
    reason: str | None
    card: Card | None
    conflict: ConflictOut | None
    sentences: list[SentenceOut]
    sources: list[SourceOut]
    text: str
    made_with: MadeWith
    timings_ms: dict[str, float]


class SourceList(BaseModel):
    """All sources of a topic."""

    sources: list[SourceOut]


class Health(BaseModel):
    """Whether the process is up, or ready."""

    status: str
