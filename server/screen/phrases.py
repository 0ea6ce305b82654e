"""Turns the phrases of `red_flags.yaml` into regular expressions that run in linear time."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from server.screen.normalise import normalise


class RulesError(ValueError):
    """The rules cannot be used: says which rule and why."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A compiled pattern, and sets of words: any match contains a word of each."""

    regex: re.Pattern[str]
    keys: tuple[frozenset[str], ...]

    def may_match(self, words: frozenset[str]) -> bool:
        """False where the text cannot hold the phrase."""
        return not any(keys.isdisjoint(words) for keys in self.keys)


def compile_phrases(patterns: Iterable[str], words: Mapping[str, str], where: str) -> tuple[Phrase, ...]:
    """The patterns of one rule, compiled. `words` fills the names in braces; raises RulesError."""
    return tuple(_phrase(pattern, words, where) for pattern in patterns)


_NAME = re.compile(r"\{([a-z_]+)\}")
_SOFT = {
    "to": "(?:to|2|too)",
    "for": "(?:for|4)",
    "you": "(?:you|u|ya)",
    "are": "(?:are|r)",
    "your": "(?:your|ur|youre)",
    "before": "(?:before|b4)",
    "be": "(?:be|b)",
}
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
    plain = _foreign(pattern)
    keys = tuple(_keys(plain))
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


def _foreign(pattern: str) -> str:
    """Words of other alphabets and accents, spelled as `normalise` spells them."""
    return re.sub(r"[^\x00-\x7f]+(?:[a-z]+[^\x00-\x7f]*)*", lambda match: normalise(match[0]), pattern)


def _bounded(pattern: str) -> bool:
    """Whether words in the pattern's script stand apart (Chinese, Japanese and Korean ones may not)."""
    return re.search(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", pattern) is None


_COMMON = frozenset(
    "i me my am is are was to a an the and or of in on it that this not no do does did so be been have has had will "
    "would can could you your he she they we for 2 too 4 u r how what if just".split()
)
_PLAIN = re.compile(r"[^\W_][\w']*")


def _keys(pattern: str) -> list[frozenset[str]]:
    """For each part of the pattern that says so: the words one of which every match holds."""
    parts = _split(pattern.replace(" ?", "\2"), " ")
    return [keys for part in parts if (keys := _part_keys(part)) is not None]


def _part_keys(part: str) -> frozenset[str] | None:
    if _PLAIN.fullmatch(part):
        return None if part in _SOFT else frozenset({part})
    if not (part.startswith("(") and part.endswith(")")) or part.startswith("(?") or _split(part, ")")[1:] != [""]:
        return None
    options = [_keys(option) for option in _split(part[1:-1], "|")]
    return frozenset().union(*(min(keys, key=_commonness) for keys in options)) if all(options) else None


def _commonness(words: frozenset[str]) -> tuple[bool, int]:
    return (not words.isdisjoint(_COMMON), len(words))


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
