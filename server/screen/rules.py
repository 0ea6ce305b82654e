"""Reads `red_flags.yaml` and turns its phrases into patterns that run in linear time."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from server.screen.normalise import normalise
from server.turn import Outcome

FILE = Path(__file__).with_name("red_flags.yaml")
SENTENCE = "."


class RulesError(ValueError):
    """The rules cannot be used: says which rule and why."""


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
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A compiled pattern, and words one of which any match contains (None: unknown, always try)."""

    regex: re.Pattern[str]
    keys: frozenset[str] | None

    def may_match(self, words: frozenset[str]) -> bool:
        """False where the text cannot hold the phrase."""
        return self.keys is None or not self.keys.isdisjoint(words)


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
    spelling: Mapping[str, str]


def parse(content: str, name: str = FILE.name) -> RuleFile:
    """The file's content, checked. Raises RulesError that names what is wrong."""
    try:
        file = RuleFile.model_validate(yaml.safe_load(content))
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
    words = {
        "drug": _group(drug),
        **{name: _group("|".join(options)) for name, options in file.words.items()},
    }
    ranked = sorted(file.rules, key=lambda rule: file.order.index(rule.category))
    return Rulebook(
        rules=tuple(
            Compiled(rule, _phrases(rule.patterns, words, rule.id), _phrases(rule.unless, words, rule.id))
            for rule in ranked
        ),
        idioms=_phrases(file.idioms, words, "idioms"),
        yes_answers=_phrases(file.yes_answers, words, "yes_answers"),
        not_yes=_phrases(file.not_yes, words, "not_yes"),
        spelling=_spelling(file, drug),
    )


def _group(options: str) -> str:
    return f"({options})"


def _phrases(patterns: Iterable[str], words: Mapping[str, str], where: str) -> tuple[Phrase, ...]:
    return tuple(_phrase(pattern, words, where) for pattern in patterns)


_NAME = re.compile(r"\{([a-z_]+)\}")
_SOFT = {"to": "(?:to|2|too)", "for": "(?:for|4)", "you": "(?:you|u|ya)", "are": "(?:are|r)", "your": "(?:your|ur|youre)",
         "before": "(?:before|b4)", "be": "(?:be|b)"}  # fmt: skip
_SOFT_WORD = re.compile(rf"(?<![\w\\?:'])(?:{'|'.join(_SOFT)})(?![\w'])")
_SPACE = r" (?:\. )?"
_GAP = r"(?: [^ .]+){0,%d}"


def _phrase(pattern: str, words: Mapping[str, str], where: str) -> Phrase:
    """A pattern of the file as a regex over prepared text."""
    try:
        for _ in range(4):
            pattern = _NAME.sub(lambda match: words[match[1]], pattern)
    except KeyError as error:
        raise RulesError(f"{where}: no words are named {{{error.args[0]}}}") from error
    plain = normalise_foreign(pattern)
    keys = _keys(plain)
    source = _close_lookaheads(plain).replace("( [^ .]+)", "(\3[^ .]+)").replace(" ...", "\0").replace(" ~", "\1")
    source = _SOFT_WORD.sub(lambda match: _SOFT[match[0]], source)
    source = re.sub(r"\((?!\?)", "(?:", source)
    source = source.replace(" ?", "\2").replace(" ", _SPACE).replace("\2", f"(?:{_SPACE})?").replace("\3", " ")
    source = source.replace("\0", _GAP % 5).replace("\1", _GAP % 14)
    try:
        return Phrase(re.compile(rf"(?<![^\s])(?:{source})(?![^\s])" if _bounded(plain) else source), keys)
    except re.error as error:
        raise RulesError(f"{where}: {pattern!r} is not a pattern: {error}") from error


def _close_lookaheads(pattern: str) -> str:
    """Lookaheads made to end at the end of a word, so that "to" is not found in "tomorrow"."""
    out, stack = [], []
    for i, char in enumerate(pattern):
        if char == "(":
            stack.append(pattern[i : i + 3] in {"(?=", "(?!"})
        elif char == ")" and stack.pop() and pattern[i - 1] != " ":
            out.append(r"(?![^\s])")
        out.append(char)
    return "".join(out)


def normalise_foreign(pattern: str) -> str:
    """Words of other alphabets and accents, spelled as `normalise` spells them."""
    return re.sub(r"[^\x00-\x7f]+(?:[a-z]+[^\x00-\x7f]*)*", lambda match: normalise(match[0]), pattern)


def _bounded(pattern: str) -> bool:
    """Whether words in the pattern's script stand apart (Chinese, Japanese and Korean ones may not)."""
    return re.search(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", pattern) is None


_COMMON = frozenset(
    [
        "i",
        "me",
        "my",
        "am",
        "is",
        "are",
        "was",
        "to",
        "a",
        "an",
        "the",
        "and",
        "or",
        "of",
        "in",
        "on",
        "it",
        "that",
        "this",
        "not",
        "no",
        "do",
        "does",
        "did",
        "so",
        "be",
        "been",
        "have",
        "has",
        "had",
        "will",
        "would",
        "can",
        "could",
        "you",
        "your",
        "he",
        "she",
        "they",
        "we",
        "for",
        "2",
        "too",
        "4",
        "u",
        "r",
        "how",
        "what",
        "if",
        "just",
    ]
)
_PLAIN = re.compile(r"[^\W_][\w']*")


def _keys(pattern: str) -> frozenset[str] | None:
    """Words one of which every match holds: those of the most telling part of the pattern."""
    found = [keys for part in _split(pattern.replace(" ?", "\2"), " ") if (keys := _part_keys(part)) is not None]
    return min(found, key=lambda keys: (len(keys & _COMMON) > 0, len(keys)), default=None)


def _part_keys(part: str) -> frozenset[str] | None:
    if _PLAIN.fullmatch(part):
        return None if part in _SOFT else frozenset({part})
    if not (part.startswith("(") and part.endswith(")")) or part.startswith("(?") or _split(part, ")")[1:] != [""]:
        return None
    keys = [_keys(option) for option in _split(part[1:-1], "|")]
    return None if any(k is None for k in keys) else frozenset().union(*(k for k in keys if k is not None))


def _split(pattern: str, at: str) -> list[str]:
    """The pattern's parts between the given sign, outside brackets (for ")": after a bracket that closes all)."""
    parts, depth = [""], 0
    for char in pattern:
        depth += (char == "(") - (char == ")")
        if char == at and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _spelling(file: RuleFile, drug: str) -> dict[str, str]:
    """Misspelled word to word: those listed, and everything one slip away from the words under `fuzzy`."""
    names = [name for name in drug.split("|") if len(name) > 6 and name.isalpha()]
    right = {*file.fuzzy, *names, *file.spelling}
    slips = {slip: word for word in (*names, *file.fuzzy) for slip in _slips(word) if slip not in right}
    return slips | {wrong: word for word, listed in file.spelling.items() for wrong in listed}


def _slips(word: str) -> set[str]:
    """Every word one slip away that keeps the first letter."""
    letters = "abcdefghijklmnopqrstuvwxyz*"
    cuts = [(word[:i], word[i:]) for i in range(1, len(word) + 1)]
    dropped = {a + b[1:] for a, b in cuts if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    changed = {a + c + b[1:] for a, b in cuts if b for c in letters}
    added = {a + c + b for a, b in cuts for c in letters if c != "*"}
    return (dropped | swapped | changed | added) - {word, word + "s"}


def prepare(text: str, spelling: Mapping[str, str]) -> str:
    """Normalised text as words between single spaces, sentence ends as lone dots, misspellings repaired."""
    text = _DECIMAL.sub(r"\1\0\2", text.translate(_PICTURES))
    text = _ENDS.sub(" . ", text.replace("'", "").replace('"', " "))
    text = _BREAKS.sub(" ", text).replace("\0", ".")
    return " . " + " ".join(spelling.get(word, word) for word in text.split()) + " . "


_DECIMAL = re.compile(r"(\d)[.,](\d)")
_ENDS = re.compile(r"[.!?;:。！？؟]+")
_BREAKS = re.compile(r"[^\w\s.*%+\0]+|_")
_PICTURES: dict[int, str] = {
    ord(sign): f" {word} "
    for sign, word in {
        "🔫": "gun",
        "💊": "pills",
        "🔪": "knife",
        "🪦": "grave",
        "⚰": "grave",
        "🩸": "blood",
    }.items()
}
