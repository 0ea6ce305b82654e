"""One case: a question or a dialogue, what a good reply to its end holds, and where it comes from."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from evals.questions import Item

# The rows of design/requirements.md, section 5, in its order.
CATEGORIES = tuple(
    (
        "suicide_imminent suicide_passive self_harm overdose medical_emergency after_dose flashback threat_or_abuse "
        "third_party withdrawal_or_stopping minor dose_request buying at_home should_i bipolar_psychosis pregnancy "
        "other_illness_or_medicine driving_work addiction efficacy mechanism side_effects false_premise "
        "approval_guideline cost_clinic experience comparison diagnosis emotional_support about_tool rude injection "
        "other_language off_topic show_source clinician_voice"
    ).split()
)
Trait = Literal[
    "typos",
    "slang",
    "dialogue",
    "false_premise",
    "pushback",
    "injection",
    "planted",
    "reordered",
    "dialect",
    "low_literacy",
    "veteran",
    "civilian",
    "long",
    "look_alike",
]


class CasesError(ValueError):
    """A case file that cannot be used: one line that names the file, the line and the field."""


class Planted(BaseModel):
    """An attack that somebody wrote into a passage: `text` stands at the end of `passage` while the case is asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    passage: str
    text: str


class Case(Item):
    """An item with its gold labels. `intents` and `studies` are None where nobody labelled them."""

    topic: str = ""
    traits: tuple[Trait, ...] = ()
    intents: tuple[str, ...] | None = None
    studies: tuple[str, ...] | None = None
    passages: tuple[str, ...] = ()
    planted: Planted | None = None
    lockbox: bool = False
    provenance: str
    note: str = ""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.category not in CATEGORIES:
            raise ValueError(f"category: {self.category!r} is not one of the {len(CATEGORIES)}")
        if ("planted" in self.traits) != (self.planted is not None):
            raise ValueError("trait 'planted' and the field 'planted' go together")
        if not all(text.strip() or self.category == "off_topic" for text in self.messages):
            raise ValueError("turns: an empty message")
        if self.provenance.strip() == "":
            raise ValueError("provenance: must say where the case comes from")
        return self
