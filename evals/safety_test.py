"""The screen against messages that others wrote: recall, right ending, false alarms, and every miss in full."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from evals.stats import wilson
from evals.training.safety_data import Message
from server.screen.labels import MEANINGS, NONE
from server.turn import SAFETY, Outcome, Turn

ROUNDS = Path(__file__).resolve().parent / "training" / "safety" / "rounds.yaml"
MANY = 12  # kinds worth a line each
INTRO = (
    "The screen looks for danger by rules that a person can read and by a trained model; either alarm is enough. "
    "Messages and labels were written by language models, never by people in danger, and no clinician has read them. "
    "A figure here says how the screen does on such messages, not on yours."
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One message, and what the screen made of it."""

    file: str
    message: Message
    outcome: Outcome | None

    @property
    def is_dialogue(self) -> bool:
        """Whether it has more than one turn."""
        return len(self.message.messages) > 1

    @property
    def carded(self) -> bool:
        """Whether any safety card came."""
        return self.outcome in SAFETY

    @property
    def right(self) -> bool:
        """Whether the label's own ending came; for harmless messages, none."""
        if self.message.label == NONE:
            return not self.carded
        return self.outcome is MEANINGS[self.message.label].outcome


def ask_screen(messages: Iterable[Message], file: str, screen: Any, question: Any) -> list[Seen]:
    """Each message through the screen alone; `question` makes one from the user's messages."""
    return [Seen(file, one, screen(Turn(question(one.messages))).outcome) for one in messages]


def counted(rows: Sequence[bool]) -> dict[str, Any]:
    """Held, of, and the 95 % Wilson interval."""
    return {"held": sum(rows), "of": len(rows), "interval": wilson(sum(rows), len(rows))}


def summary(seen: Sequence[Seen]) -> dict[str, Any]:
    """Recall and right ending by label, false alarms by kind; dialogues apart."""
    single, talks = [s for s in seen if not s.is_dialogue], [s for s in seen if s.is_dialogue]
    danger = [s for s in single if s.message.label != NONE]
    calm = [s for s in single if s.message.label == NONE]
    labels = dict.fromkeys(s.message.label for s in danger)
    kinds = dict.fromkeys(s.message.kind for s in calm)
    return {
        "recall": {label: counted([s.carded for s in danger if s.message.label == label]) for label in labels},
        "right": {label: counted([s.right for s in danger if s.message.label == label]) for label in labels},
        "right_over_all": counted([s.right for s in danger]),
        "false_alarms": counted([s.carded for s in calm]),
        "false_alarms_by_kind": {kind: counted([s.carded for s in calm if s.message.kind == kind]) for kind in kinds},
        "dialogues_in_danger": counted([s.carded for s in talks if s.message.label != NONE]),
        "dialogues_harmless": counted([not s.carded for s in talks if s.message.label == NONE]),
    }


def misses(seen: Sequence[Seen]) -> list[Seen]:
    """Danger without a card, and harmless messages with one."""
    return [s for s in seen if s.carded == (s.message.label == NONE)]


def files_in(folder: Path) -> list[Path]:
    """The files of a test folder."""
    return sorted(folder.glob("*.jsonl"))


def _told(one: dict[str, Any]) -> str:
    if not one["of"]:
        return "none asked"
    low, high = one["interval"]
    return f"{one['held']} of {one['of']} ({one['held'] / one['of']:.1%}; {low:.1%} to {high:.1%})"


def lines(found: dict[str, Any]) -> list[str]:
    """The summary in lines."""
    said = [
        f"{label}: some card {_told(one)}; right ending {_told(found['right'][label])}"
        for label, one in found["recall"].items()
    ]
    said.append(f"right ending over all danger: {_told(found['right_over_all'])}")
    said.append(f"false alarms on harmless messages: {_told(found['false_alarms'])}")
    if len(found["false_alarms_by_kind"]) <= MANY:
        said += [
            f"false alarms, {kind or 'other'}: {_told(one)}" for kind, one in found["false_alarms_by_kind"].items()
        ]
    said.append(f"dialogues in danger that got a card: {_told(found['dialogues_in_danger'])}")
    said.append(f"harmless dialogues left alone: {_told(found['dialogues_harmless'])}")
    return said


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |"


def _rounds() -> list[str]:
    content: dict[str, Any] = yaml.safe_load(ROUNDS.read_text(encoding="utf-8"))
    head = [_row("round", "what", "danger with a card", "false alarms", "then"), _row(*["---"] * 5)]
    return head + [
        _row(str(one["round"]), one["what"], one["danger"], one["false_alarms"], one["then"])
        for one in content["rounds"]
    ]


def card(seen: Sequence[Seen], found: dict[str, Any]) -> str:
    """safety_card.md: what was tried, how it did, and every miss in full."""
    wrong = misses(seen)
    told = [f"- {line}" for line in lines(found)]
    listed = [
        _row(s.message.label, s.outcome.value if s.outcome else "goes on", " ⟶ ".join(s.message.messages))
        for s in wrong
    ]
    parts = [
        "# Safety card",
        "Made by `python -m evals safety --write`. Do not edit.",
        INTRO,
        "## The test part",
        f"{len(seen)} messages and dialogues that no rule, training or limit has seen. Share and 95 % Wilson interval.",
        "\n".join(told),
        "## Attack rounds",
        "\n".join(_rounds()),
        f"## Every miss ({len(wrong)})",
        "Danger without any card, and harmless messages with one. Wrong cards are counted above.",
        "\n".join([_row("label", "ended in", "message"), _row(*["---"] * 3), *listed]),
    ]
    return "\n\n".join(parts) + "\n"
