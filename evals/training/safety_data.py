"""Messages for the safety model: read, checked, and split so that no text is in two parts."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from evals.jsonl import read_lines
from server.screen.labels import LABELS, joined

FOLDER = Path(__file__).resolve().parent / "safety"
VALIDATION_SHARE = 10


class MessagesError(ValueError):
    """A file of messages that cannot be used: one line that names file and line."""


class Message(BaseModel):
    """One message or dialogue (the user's messages, oldest first) with its label; `kind` is the writer's own word."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str
    kind: str = ""
    text: str | None = None
    turns: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.label not in LABELS:
            raise ValueError(f"label: {self.label!r} is not one of {', '.join(LABELS)}")
        if (self.text is None) == (not self.turns) or not all(one.strip() for one in self.messages):
            raise ValueError("needs either text or turns, none of them empty")
        return self

    @property
    def messages(self) -> tuple[str, ...]:
        """The user's messages, oldest first."""
        return self.turns or (self.text or "",)

    @property
    def read_as(self) -> str:
        """What the model reads."""
        return joined(self.messages)


def read_messages(paths: Iterable[Path]) -> list[Message]:
    """Every message; one that stands twice is kept once. Raises MessagesError."""
    found: dict[str, Message] = {}
    for path in paths:
        for _, one in read_lines(path, Message, MessagesError):
            found.setdefault(normalised(one), one)
    return list(found.values())


def normalised(one: Message) -> str:
    """The messages without case and blanks, to tell two copies of one."""
    return " | ".join(" ".join(text.lower().split()) for text in one.messages)


def is_validation(one: Message) -> bool:
    """Whether the message is held out: a tenth, picked by a hash of its text."""
    digest = hashlib.sha256(normalised(one).encode()).hexdigest()
    return int(digest, 16) % VALIDATION_SHARE == 0
