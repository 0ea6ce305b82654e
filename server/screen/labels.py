"""What the trained part of the screen tells apart, and what each label means for the reply."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.turn import Outcome

NONE = "none"
TURNS = 3
BREAK = " [SEP] "


@dataclass(frozen=True, slots=True)
class Meaning:
    """The ending that a label asks for, with the rules' names for it."""

    outcome: Outcome
    reason: str
    category: str
    card: str


# In order of urgency: where two are sure, the first one counts.
MEANINGS: Mapping[str, Meaning] = {
    "imminent": Meaning(Outcome.CRISIS_IMMEDIATE, "suicide_imminent", "suicide_imminent", "crisis_immediate"),
    "medical": Meaning(Outcome.EMERGENCY_MEDICAL, "medical", "medical", "emergency_medical"),
    "threat": Meaning(Outcome.SAFETY_OTHER, "threat", "threat", "threat"),
    "self_harm": Meaning(Outcome.CRISIS_CHECK, "self_harm", "self_harm", "self_harm"),
    "passive": Meaning(Outcome.CRISIS_CHECK, "suicide_passive", "suicide_passive", "crisis_check"),
    "third_party": Meaning(Outcome.THIRD_PARTY, "third_party", "third_party", "third_party"),
    "abuse": Meaning(Outcome.SAFETY_OTHER, "abuse", "abuse", "abuse"),
    "after_dose": Meaning(Outcome.URGENT_AFTER_DOSE, "after_dose", "after_dose", "after_dose"),
    "flashback": Meaning(Outcome.GROUNDING, "flashback", "flashback", "flashback"),
    "minor": Meaning(Outcome.MINOR, "minor", "minor", "minor"),
}
LABELS = (NONE, *MEANINGS)


def joined(messages: Sequence[str]) -> str:
    """A dialogue as the model reads it: the user's last three messages, oldest first."""
    return BREAK.join(" ".join(message.split()) for message in messages[-TURNS:])
