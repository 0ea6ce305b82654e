"""Baselines that write freely: a chat model with retrieval (LangChain's plain chain), and without."""

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evals.cases import Case
from evals.systems.production import Production, with_planted
from evals.systems.reply import Reply, Said
from server.reading_level import split_sentences, words

FOLDER = Path(__file__).resolve().parent
RAG = "rag"
CLOSED_BOOK = "no_retrieval"
PASSAGES = 4
EVIDENCE = 3
MIN_WORDS = 3
_MARK = re.compile(r"\[\s*(\d+(?:\s*,\s*\d+)*)\s*\]")
_LEADING = re.compile(r"^\s*(?:\d+[.)]|[-*•])\s+")
# A plain rule, stated in the report: what such a reply says where it does not answer.
_ABSTAINS = re.compile(
    r"\b(?:I|passages?|sources?|text|context)\b[^.]{0,40}"
    r"\b(?:do(?:es)? not|don'?t|doesn'?t|cannot|can'?t|unable|unsure)\b",
    re.IGNORECASE,
)


def template(name: str) -> Any:
    """The prompt of a baseline as LangChain's template."""
    from langchain_core.prompts import PromptTemplate

    return PromptTemplate.from_file(FOLDER / f"{name}.md.jinja", template_format="jinja2", encoding="utf-8")


def cited_numbers(sentence: str) -> list[int]:
    """The passage numbers that a sentence names: 'so [1, 3].' → [1, 3]."""
    return [int(n) for found in _MARK.findall(sentence) for n in found.split(",")]


def read_reply(text: str, shown: Sequence[str]) -> tuple[Said, ...]:
    """A model's text as sentences. One that names no passage rests on all that were shown."""
    found = []
    for raw in split_sentences(text):
        cited = tuple(dict.fromkeys(shown[n - 1] for n in cited_numbers(raw) if 0 < n <= len(shown)))
        plain = " ".join(_LEADING.sub("", _MARK.sub("", raw)).split()).replace(" .", ".")
        if len(words(plain)) >= MIN_WORDS:
            found.append(Said(plain, cited or tuple(shown), cited or tuple(shown)))
    return tuple(found)


def abstains(text: str) -> bool:
    """Whether the first sentence says that there is no answer."""
    first = split_sentences(text)[:1]
    return not first or bool(_ABSTAINS.search(first[0]))


class Rag:
    """Retrieve four passages, put them into a prompt, ask once."""

    name = RAG

    def __init__(self, production: Production, model: Any) -> None:
        from langchain_core.output_parsers import StrOutputParser

        self._production = production
        self._chain = template("rag") | model | StrOutputParser()

    def answer(self, case: Case, repeat: int = 0, reordered: bool = False) -> Reply:
        """The model's reply, sentence by sentence."""
        started = time.perf_counter()
        shown = [hit.id for hit in self._production.search(case.messages[-1], PASSAGES)]
        if reordered or "reordered" in case.traits:
            shown.reverse()
        corpus = with_planted(self._production.corpus, case)
        passages = "\n\n".join(corpus.passages[key].text for key in shown)
        text = self._chain.invoke({"passages": passages, "question": "\n".join(case.messages)})
        ms = (time.perf_counter() - started) * 1000
        return Reply(abstains(text), read_reply(text, shown), text, ms)


class ClosedBook:
    """The model alone. Each sentence is held against the passages nearest to it, found afterwards (ALCE's PostCite)."""

    name = CLOSED_BOOK

    def __init__(self, production: Production, model: Any) -> None:
        from langchain_core.output_parsers import StrOutputParser

        self._production = production
        self._chain = template("no_retrieval") | model | StrOutputParser()

    def answer(self, case: Case, repeat: int = 0) -> Reply:
        """The model's reply; it cites nothing."""
        started = time.perf_counter()
        text = self._chain.invoke({"question": "\n".join(case.messages)})
        ms = (time.perf_counter() - started) * 1000
        said = tuple(Said(s.text, (), self._nearest(s.text)) for s in read_reply(text, ()))
        return Reply(abstains(text), said, text, ms)

    def _nearest(self, sentence: str) -> tuple[str, ...]:
        return tuple(hit.id for hit in self._production.search(sentence, EVIDENCE))
