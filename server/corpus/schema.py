"""What the files under corpus/ may hold. An unknown key is refused, so a typo cannot be silently ignored."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from server.turn import Outcome

Label = Literal[
    "animal",
    "depression_only",
    "no_comparison_group",
    "single_case",
    "preprint",
    "small",
    "narrative_review",
    "abstract_not_read",
    "not_identified",
    "later_version",
]
Direction = Literal["benefit", "no_difference", "harm", "mixed", "unknown", "none"]
Certainty = Literal["high", "moderate", "low", "very_low", "none"]
ReadIn = Literal["abstract", "full_text", "registry", "secondary", "title", "review"]
Coverage = Literal["reported", "not_reported", "not_read"]


class Strict(BaseModel):
    """Base of every schema: frozen, and no key beyond those named."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Figure(Strict):
    """One figure of a passage and where it was read; `at` is provenance, never a link for a reader."""

    figure: str
    read_in: ReadIn
    at: str | None = None


class PassageRecord(Strict):
    """A passage as written in a source file."""

    id: str
    section: str
    words: Literal["review", "our_summary"]
    text: str
    figures: tuple[Figure, ...] = ()


class ClaimRecord(Strict):
    """A claim as written in a source file or in claims.yaml."""

    id: str
    text: str
    passages: tuple[str, ...]
    topics: tuple[str, ...]
    direction: Direction
    certainty: Certainty
    why: str | None = None
    population: str | None = None
    comparator: str | None = None
    time: str | None = None
    signed_by: tuple[str, ...] = ()
    doubt: str | None = None  # why it stands though its support score is low


class StudyPoint(Strict):
    """One point of the study card (R24)."""

    point: str
    value: str
    passage: str | None = None


class LaterVersion(Strict):
    """The journal version that followed a preprint."""

    journal: str
    year: int
    doi: str | None = None
    url: str | None = None
    note: str | None = None


class Source(Strict):
    """One work: who wrote it, what it is, how it is labelled, and everything we say from it."""

    key: str
    title: str | None
    authors: tuple[str, ...]
    year: int | None
    journal: str | None = None
    url: str | None
    kind: str
    people: int | None
    name: str
    aliases: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    read: Literal["full_abstract", "partial", "not_found", "full_text"]
    registration: tuple[str, ...] = ()
    later_version: LaterVersion | None = None
    checked_on: str | None = None
    note: str | None = None
    study: tuple[StudyPoint, ...] = ()
    passages: tuple[PassageRecord, ...]
    claims: tuple[ClaimRecord, ...] = ()


class Subject(Strict):
    """One subject of coverage.yaml: what each source says about it."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    sources: dict[str, Coverage]


class Link(Strict):
    """A link a reader can follow, and when somebody last looked at it."""

    title: str
    url: str
    checked_on: str | None = None


class ContextCard(Strict):
    """A fixed card with facts from outside the sources (design: requirements.md, 11.3)."""

    id: str
    title: str
    urgency: Literal["emergency", "urgent", "note"] = "note"
    text: str
    authority: str | None = None
    dated: str | None = None
    link: Link | None = None
    seen: str | None = None
    lines: tuple[str, ...] = ()
    signed_by: tuple[str, ...] = ()


class Term(Strict):
    """One medical word in plain words (R17)."""

    term: str
    aliases: tuple[str, ...] = ()
    plain: str


class Side(Strict):
    """One side of a conflict between sources."""

    source: str
    people: int | None
    compared_with: str | None
    when: str | None
    finding: str
    passage: str


class Conflict(Strict):
    """Where sources, or the review and its sources, differ."""

    id: str
    title: str
    sides: tuple[Side, ...]
    why_they_may_differ: str


class AuditItem(Strict):
    """One claim of the review held against the work it leans on."""

    id: str
    section: str
    review_passage: str | None
    says: str
    leans_on: str | None
    verdict: str
    also: tuple[str, ...] = ()
    confidence: str | None = None
    reason: str
    passages: tuple[str, ...] = ()
    plain: str
    outside_sources: bool = False


class Works(Strict):
    """How the review's list and its text differ."""

    listed_but_never_cited: tuple[str, ...] = ()
    cited_but_not_in_the_list_we_hold: tuple[str, ...] = ()
    errors_in_the_list: tuple[str, ...] = ()


class Audit(Strict):
    """audit.yaml: the review's claims, the conflicts, and the lists that go with them."""

    about: str
    tally: dict[str, int] = {}
    works: Works = Works()

    audit: tuple[AuditItem, ...]
    conflicts: tuple[Conflict, ...]


class Brief(Strict):
    """A kind of question and how it is answered: outcome, and claims by the part they play (R20)."""

    id: str
    outcome: Outcome
    reason: str | None = None
    card: str | None = None
    lead: str | None = None
    premise: str | None = None
    points: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    coverage: tuple[str, ...] = ()
    next_step: str | None = None
    conflict: str | None = None
    aspect: tuple[str, ...] = Field(default=(), description="claim topics asked about a named study")
    marked: bool = Field(default=False, description="set by the screen only, so it has no example questions")
    behind_choice: bool = Field(default=False, description="shown only after a choice, since it may upset (R86)")
    without_study: str | None = Field(default=None, description="the brief that answers when no study is named")


class TopicFile(Strict):
    """topic.yaml: names, words of the field, thresholds."""

    id: str
    title: str
    drug: str
    condition: str
    newest: int
    terms: tuple[str, ...] = Field(description="words that put a question inside the topic")
    drug_names: tuple[str, ...]
    screen_names: tuple[str, ...] = Field(description="what people call the drug when they ask for it")
    screen_briefs: dict[str, str] = Field(
        description="which brief answers a request that the screen marked, by category"
    )
    study_names: tuple[str, ...] = Field(description="names left out when a grade is computed")
    topics: tuple[str, ...] = Field(description="the closed list of claim topics")
    example_questions: tuple[str, ...]
    study_brief: str = Field(description="the brief that answers about a named study when no other fits")
    follow_up_cues: tuple[str, ...]
    both_sides: tuple[str, ...] = Field(description="claims shown where an answer would be one-sided (R4)")
    fallback_unknown: str
    fallback_next_step: str
    intent_threshold: float = Field(description="cosine at or above which a question is one of our briefs")
    bare_threshold: float = Field(description="the same for a question that holds none of our terms")
    claim_threshold: float = Field(description="cosine at or above which a claim may answer without a brief")
    fixed: dict[str, str] = Field(default={}, description="reviewed sentences of this topic that state no finding")
