"""Reads and checks `red_flags.yaml`, and compiles its rules for one topic's drug."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from server.screen.phrases import Phrase, RulesError, compile_phrases
from server.screen.prepare import spelling_table
from server.turn import Outcome

FILE = Path(__file__).with_name("red_flags.yaml")


class Rule(BaseModel):
    """One rule as a clinician reads it (the head of the YAML file explains the fields)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    outcome: Outcome
    reason: str
    category: str
    card: str | None
    why: str
    patterns: tuple[str, ...] = Field(min_length=1)
    unless: tuple[str, ...] = ()
    examples: tuple[str, ...] = Field(min_length=6)
    benign: tuple[str, ...] = Field(min_length=3)


class RuleFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str
    order: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]]
    spelling: Mapping[str, tuple[str, ...]]
    fuzzy: tuple[str, ...]
    idioms: tuple[str, ...]
    yes_answers: tuple[str, ...]
    not_yes: tuple[str, ...]
    takes_back: tuple[str, ...] = ()
    insists: tuple[str, ...] = ()
    not_insists: tuple[str, ...] = ()
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Compiled:
    """One rule, ready to run."""

    rule: Rule
    patterns: tuple[Phrase, ...]
    unless: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules in the order of their priority, for one topic's drug."""

    rules: tuple[Compiled, ...]
    idioms: tuple[Phrase, ...]
    yes_answers: tuple[Phrase, ...]
    not_yes: tuple[Phrase, ...]
    takes_back: tuple[Phrase, ...]
    insists: tuple[Phrase, ...]
    not_insists: tuple[Phrase, ...]
    spelling: Mapping[str, str]


def parse(content: str, name: str = FILE.name) -> RuleFile:
    """The file's content, checked. Raises RulesError that names what is wrong."""
    try:
        file = RuleFile.model_validate(yaml.load(content, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        raise RulesError(f"{name}: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        lines = [f"{name}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise RulesError("\n".join(lines)) from error
    ids = [rule.id for rule in file.rules]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise RulesError(f"{name}: rule given twice: {', '.join(twice)}")
    stray = {rule.category for rule in file.rules} ^ set(file.order)
    if stray or len(set(file.order)) != len(file.order):
        raise RulesError(f"{name}: order and the rules' categories differ: {', '.join(sorted(stray)) or 'repeated'}")
    return file


@lru_cache(maxsize=1)
def read() -> RuleFile:
    """The rules that ship with the package."""
    try:
        return parse(FILE.read_text(encoding="utf-8"))
    except OSError as error:
        raise RulesError(f"{FILE.name}: {error.strerror}") from error


@lru_cache(maxsize=8)
def rulebook(drug: str) -> Rulebook:
    """The rules for a topic; `drug` is a regex alternation of its drug's names. Compiled once."""
    return build(read(), drug)


def build(file: RuleFile, drug: str) -> Rulebook:
    """The file's rules, compiled and in order."""
    drug = re.sub(r"\\?[ -]", " ", drug)  # names may come escaped; hyphens are spaces in prepared text
    words = {
        "drug": _group(drug),
        **{name: _group("|".join(options)) for name, options in file.words.items()},
    }
    ranked = sorted(file.rules, key=lambda rule: file.order.index(rule.category))
    return Rulebook(
        rules=tuple(
            Compiled(rule, compile_phrases(rule.patterns, words, rule.id), compile_phrases(rule.unless, words, rule.id))
            for rule in ranked
        ),
        idioms=compile_phrases(file.idioms, words, "idioms"),
        yes_answers=compile_phrases(file.yes_answers, words, "yes_answers"),
        not_yes=compile_phrases(file.not_yes, words, "not_yes"),
        takes_back=compile_phrases(file.takes_back, words, "takes_back"),
        insists=compile_phrases(file.insists, words, "insists"),
        not_insists=compile_phrases(file.not_insists, words, "not_insists"),
        spelling=spelling_table(file.spelling, file.fuzzy, drug),
    )


def _group(options: str) -> str:
    return f"({options})"
