"""Reading a request: every readable user message is screened before any limit refuses the request."""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from server.turn import Message, Question

MAX_BYTES = 200_000
MAX_MESSAGES = 80
MAX_CHARACTERS = 20_000
READ_AT_MOST = 1_200_000  # of a body over the limit, this much is still screened
_COUNTRY = re.compile(r"[A-Za-z]{2}")


class MessageIn(BaseModel):
    """One message of the dialogue."""

    model_config = ConfigDict(extra="forbid", strict=True)

    role: Literal["user", "assistant"]
    content: Annotated[str, Field(max_length=MAX_CHARACTERS)]


class AskRequest(BaseModel):
    """The body of `POST /api/ask`; the last message is the user's."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"messages": [{"role": "user", "content": "Does it help?"}], "country": "US"}]},
    )

    messages: Annotated[list[MessageIn], Field(min_length=1, max_length=MAX_MESSAGES)]
    country: Annotated[str, Field(pattern="^[A-Za-z]{2}$")] | None = None
    level: Literal["plain", "clinician"] = "plain"
    topic: str | None = None

    @field_validator("messages")
    @classmethod
    def _last_is_the_users(cls, messages: list[MessageIn]) -> list[MessageIn]:
        if messages and messages[-1].role != "user":
            raise ValueError("the last message must be the user's")
        return messages


def request_schema() -> dict[str, Any]:
    """The body's JSON schema for the OpenAPI document, in one piece: the routes read the body themselves."""
    schema = AskRequest.model_json_schema()
    schema["properties"]["messages"]["items"] = schema.pop("$defs")["MessageIn"]
    return schema


class Refused(Exception):
    """A request that gets no reply: status, and problems as {"field", "problem"} that never quote a value."""

    def __init__(self, status: int, problems: list[dict[str, str]]) -> None:
        super().__init__(str(status))
        self.status = status
        self.problems = problems


async def read(request: Request) -> tuple[bytes, bool]:
    """The body, up to 1.2 MB of it, and whether it is over the 200 kB limit."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size - len(chunk) < READ_AT_MOST:
            chunks.append(chunk)
    return b"".join(chunks), size > MAX_BYTES


def clean(text: str) -> str:
    """The text without lone surrogates, which no encoding can carry."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _clean_all(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): _clean_all(inner) for key, inner in value.items()}
    return [_clean_all(inner) for inner in value] if isinstance(value, list) else value


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings(key)
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def readable(body: bytes) -> tuple[str, ...]:
    """Whatever a user may have written in a body of any shape: user messages, else every string, else the raw text."""
    text = body.decode("utf-8", "replace")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return (text,)
    listed = data.get("messages") if isinstance(data, dict) else None
    if isinstance(listed, list) and all(isinstance(item, dict) for item in listed):
        said = [i.get("content") for i in listed if i.get("role") != "assistant"]
        if said and all(isinstance(content, str) for content in said):
            return tuple(clean(str(content)) for content in said)
    return tuple(clean(found) for found in _strings(data))


def country_of(body: bytes) -> str | None:
    """The country that a refused request names, where it is two letters."""
    try:
        found = json.loads(body.decode("utf-8", "replace")).get("country")
    except (ValueError, AttributeError, RecursionError):
        return None
    return found if isinstance(found, str) and _COUNTRY.fullmatch(found) else None


def problems(error: ValidationError) -> list[dict[str, str]]:
    """The fields and what is wrong with them, without their values."""
    return [{"field": ".".join(map(str, e["loc"])) or "body", "problem": e["msg"]} for e in error.errors()]


_TOO_LARGE = frozenset({"string_too_long", "too_long"})


def parse(body: bytes, too_large: bool, topics: list[str], default_topic: str) -> Question:
    """The question. Raises Refused (413 for anything over a limit, 422 for anything else)."""
    if too_large:
        raise Refused(413, [{"field": "body", "problem": f"at most {MAX_BYTES} bytes"}])
    try:
        data = _clean_all(json.loads(body.decode("utf-8")))
    except (ValueError, RecursionError):
        raise Refused(422, [{"field": "body", "problem": "not readable as JSON in UTF-8"}]) from None
    try:
        asked = AskRequest.model_validate(data)
    except ValidationError as error:
        status = 413 if all(e["type"] in _TOO_LARGE for e in error.errors()) else 422
        raise Refused(status, problems(error)) from None
    if asked.topic is not None and asked.topic not in topics:
        raise Refused(422, [{"field": "topic", "problem": "unknown topic"}])
    messages = tuple(Message(m.role, clean(m.content)) for m in asked.messages)
    return Question(messages, asked.country, asked.level, asked.topic or default_topic)
