"""The page's form: fields question, country, level and the dialogue so far, checked like any input."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any
from urllib.parse import parse_qs

from server.corpus import Corpus
from server.routes.body import MAX_MESSAGES, Refused, parse
from server.screen.stage import safety_flag
from server.turn import Question

View = dict[str, Any]
ROOM = 4  # messages left free, so that the next turn fits
HISTORY_BYTES = 150_000
FIELDS = frozenset({"question", "country", "level", "history"})


@dataclass(frozen=True)
class Asked:
    """A form that was read: the question, the dialogue before it, and the body as the API would have it."""

    question: Question
    history: list[View]


def fields(body: bytes, content_type: str) -> dict[str, str]:
    """The form's fields, the last of each name. Raises Refused for something that is no form."""
    if body and not content_type.startswith("application/x-www-form-urlencoded"):
        raise Refused(422, [{"field": "form", "problem": "not application/x-www-form-urlencoded"}])
    try:
        found = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise Refused(422, [{"field": "form", "problem": "not readable"}]) from None
    if not set(found) <= FIELDS:
        raise Refused(422, [{"field": "form", "problem": "unknown field"}])
    return {name: values[-1] for name, values in found.items()}


def _history(raw: str) -> list[View]:
    try:
        data = json.loads(raw or "[]")
    except (ValueError, RecursionError):
        raise Refused(422, [{"field": "history", "problem": "not readable as JSON"}]) from None
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise Refused(422, [{"field": "history", "problem": "not a list of messages"}])
    return data


def _size(message: View) -> int:
    return len(json.dumps(message, ensure_ascii=False).encode("utf-8", "replace"))


def trimmed(history: list[View], corpus: Corpus) -> list[View]:
    """The dialogue with room for the next turn: replies go first, then the oldest messages without a sign of danger.

    Raises Refused for a dialogue that no page can have grown to.
    """
    if len(history) > 4 * MAX_MESSAGES:
        raise Refused(413, [{"field": "history", "problem": "too many messages"}])
    sizes = [_size(message) for message in history]
    over, count = sum(sizes) - HISTORY_BYTES, len(history) - (MAX_MESSAGES - ROOM)
    replies = [i for i, m in enumerate(history) if m.get("role") == "assistant"]
    others = (i for i, m in enumerate(history) if m.get("role") != "assistant" and _calm(m, corpus))
    gone: set[int] = set()
    for index in chain(replies, others, range(len(history))):
        if over <= 0 and count <= 0:
            break
        if index not in gone:
            gone.add(index)
            over, count = over - sizes[index], count - 1
    return [message for i, message in enumerate(history) if i not in gone]


def _calm(message: View, corpus: Corpus) -> bool:
    return safety_flag((str(message.get("content", "")),), corpus) is None


def as_json(found: dict[str, str]) -> bytes:
    """The form as the API's body, for reading what a refused request held."""
    try:
        history = _history(found.get("history", ""))
    except Refused:
        history = [{"role": "user", "content": found.get("history", "")}]
    messages = [*history, {"role": "user", "content": found.get("question", "")}]
    return json.dumps({"messages": messages, "country": found.get("country") or None}).encode()


def read_form(found: dict[str, str], too_large: bool, corpora: Mapping[str, Corpus], default_topic: str) -> Asked:
    """The question and the dialogue before it. Raises Refused."""
    history = trimmed(_history(found.get("history", "")), corpora[default_topic])
    data: View = {"messages": [*history, {"role": "user", "content": found.get("question", "")}]}
    if found.get("country"):
        data["country"] = found["country"]
    if found.get("level"):
        data["level"] = found["level"]
    question = parse(json.dumps(data).encode(), too_large, list(corpora), default_topic)
    return Asked(question, history)
