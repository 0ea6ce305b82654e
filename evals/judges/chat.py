"""Any LangChain chat model as a judge. What is judged goes in as JSON data; anything but one word out is unjudged."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evals.judges.base import JudgeError, Opinion
from server.llm import Chat, ChatModelError, load_chat, local_chat

PROMPT = Path(__file__).with_name("support.md.jinja")
MAX_TOKENS = 8
TIMEOUT_S = 30.0
# The whole reply has to be the verdict: a model that talks, or repeats what it was told, has not judged.
_VERDICT = re.compile(r"\W*(supported|unsupported)\W*", re.IGNORECASE)


def as_data(sentence: str, passages: Sequence[str]) -> str:
    """The pair as one line of JSON: quotes, line breaks and angle brackets in it cannot end the data."""
    text = json.dumps({"passages": list(passages), "sentence": sentence}, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e")


class ChatJudge:
    """Asks once a pair, without any dialogue between pairs."""

    def __init__(self, model: Any, name: str) -> None:
        from langchain_core.prompts import PromptTemplate

        self._prompt = PromptTemplate.from_file(PROMPT, template_format="jinja2", encoding="utf-8")
        self._model = model
        self.name = name

    def judge(self, sentence: str, passages: Sequence[str]) -> Opinion:
        """Its verdict; unjudged when it fails, is late or answers anything but the one word."""
        from langchain_core.output_parsers import StrOutputParser

        chain: Any = self._prompt | self._model | StrOutputParser()
        try:
            said = str(chain.invoke({"data": as_data(sentence, passages)}))
        except Exception as error:
            return Opinion(None, f"the judge failed: {type(error).__name__}")
        found = _VERDICT.fullmatch(said)
        if found is None:
            return Opinion(None, "the judge gave no verdict")
        return Opinion(found.group(1).lower() == "supported")


def chat_judge(model: str, base_url: str | None) -> ChatJudge:
    """A judge by LangChain's name for its model. Raises JudgeError."""
    try:
        return ChatJudge(load_chat(Chat(model, base_url, max_tokens=MAX_TOKENS, timeout_s=TIMEOUT_S)), f"chat {model}")
    except ChatModelError as error:
        raise JudgeError(str(error)) from None


@contextmanager
def local_judge() -> Iterator[ChatJudge]:
    """The local model as a judge: too small to be a good one, and its measured errors say so. Raises JudgeError."""
    try:
        with local_chat(max_tokens=MAX_TOKENS, timeout_s=TIMEOUT_S) as chat:
            yield ChatJudge(load_chat(chat), f"chat {chat.model}")
    except ChatModelError as error:
        raise JudgeError(str(error)) from None
