"""The rule part of the safety screen: finds danger in a message or a dialogue, without a model or a network."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from server.screen.normalise import normalise, variants
from server.screen.phrases import Phrase
from server.screen.prepare import prepare, without_fillers
from server.screen.rules import Compiled, Rulebook, rulebook
from server.turn import SAFETY, Outcome


@dataclass(frozen=True, slots=True)
class Flag:
    """What the rules saw: the outcome it asks for, why, by which rule, and the card to show."""

    outcome: Outcome
    reason: str
    category: str
    rule: str
    card: str | None


JOINED = 3
EDGE = 300  # characters of each that are read together
YES_WORDS = 8
INSISTING_WORDS = 16
WINDOW = 1_000  # characters
OVERLAP = 250


def scan(text: str, drug: str) -> Flag | None:
    """The most pressing flag anywhere in the text, or None. `drug`: regex alternation of the drug's names."""
    book = rulebook(drug)
    seen: set[str] = set()
    best: tuple[int, Flag] | None = None
    for variant in variants(text):
        prepared = prepare(variant, book.spelling)
        for reading in (prepared, without_fillers(prepared)):
            if reading not in seen:
                seen.add(reading)
                for window in dict.fromkeys(_windows(reading)):
                    best = _first(window, book, best[0] if best else len(book.rules)) or best
    return best[1] if best else None


def _windows(text: str) -> Iterator[str]:
    """The text in overlapping parts, cut between words: some patterns take time with the square of what they read."""
    start = 0
    while len(text) - start > WINDOW:
        end = text.find(" ", start + WINDOW - 1)
        end = start + WINDOW if end < 0 or end - start > 2 * WINDOW else end
        yield f". {text[start:end]} ." if start else f"{text[start:end]} ."
        back = text.find(" ", end - OVERLAP)
        start = back if 0 <= back < end and back > start else end
    yield f". {text[start:]}" if start else text


def _first(text: str, book: Rulebook, before: int) -> tuple[int, Flag] | None:
    """The first rule that fires, of those that rank before the given one."""
    words = frozenset(text.split(" "))
    for rank, compiled in enumerate(book.rules[:before]):
        if _fires(compiled, book, text, words):
            rule = compiled.rule
            flag = Flag(rule.outcome, rule.reason, rule.category, rule.id, rule.card)
            return rank, _with_overdose(flag, book, text, words)
    return None


def _fires(compiled: Compiled, book: Rulebook, text: str, words: frozenset[str]) -> bool:
    """Whether a phrase of the rule stands in the text outside every idiom and every `unless`."""
    excused: list[tuple[int, int]] | None = None
    for phrase in compiled.patterns:
        if not phrase.may_match(words):
            continue
        for match in phrase.regex.finditer(text):
            if excused is None:
                excused = _merged(_spans((*book.idioms, *compiled.unless), text, words))
            after = bisect_left(excused, (match.end(), -1))
            if after == 0 or excused[after - 1][1] <= match.start():
                return True
    return False


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order, overlapping ones as one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _spans(phrases: Iterable[Phrase], text: str, words: frozenset[str]) -> Iterable[tuple[int, int]]:
    for phrase in phrases:
        if phrase.may_match(words):
            yield from (match.span() for match in phrase.regex.finditer(text))


def _with_overdose(flag: Flag, book: Rulebook, text: str, words: frozenset[str]) -> Flag:
    """Something taken and a wish to die in one message: the crisis comes first, and the reason is the overdose."""

    def fires(reason: str, outcome: Outcome) -> bool:
        rules = (c for c in book.rules if c.rule.reason == reason and c.rule.outcome is outcome)
        return any(_fires(compiled, book, text, words) for compiled in rules)

    if flag.outcome is Outcome.CRISIS_IMMEDIATE and fires("overdose", Outcome.EMERGENCY_MEDICAL):
        return replace(flag, reason="overdose")
    if flag.reason == "overdose" and fires("suicide_passive", Outcome.CRISIS_CHECK):
        return replace(flag, outcome=Outcome.CRISIS_IMMEDIATE, card="crisis_immediate")
    return flag


def scan_dialogue(messages: Sequence[str], drug: str, alarms: Sequence[Flag | None] = ()) -> Flag | None:
    """The flag for the user's last message, given the earlier ones (oldest first).

    `alarms` holds what another detector says of each message; either one is enough.
    """
    history: list[Flag | None] = []
    for count in range(1, len(messages) + 1):
        alarm = alarms[count - 1] if alarms else None
        history.append(_turn(messages[:count], history, drug, alarm))
    return history[-1] if history else None


def _turn(messages: Sequence[str], history: Sequence[Flag | None], drug: str, alarm: Flag | None = None) -> Flag | None:
    """The flag for the last of these messages; `history` holds those of the messages before it."""
    own = scan(messages[-1], drug)
    if not _safety(own):
        own = _built_up(messages, drug) or own
    own = more_pressing(own, alarm)
    earlier = [flag for flag in history if flag]
    was_immediate = any(flag.outcome is Outcome.CRISIS_IMMEDIATE for flag in earlier)
    was_check = any(flag.outcome is Outcome.CRISIS_CHECK for flag in earlier)
    if own and own.outcome is Outcome.CRISIS_IMMEDIATE:
        return replace(own, card="crisis_immediate_again") if was_immediate else own
    if own and own.outcome is Outcome.CRISIS_CHECK:
        shown = {flag.card for flag in earlier if flag.outcome is Outcome.CRISIS_CHECK}
        again = was_immediate or (was_check and (own.card in shown or own.card != "self_harm"))
        return replace(own, card="crisis_check_again") if again else own
    if _safety(own):
        return own
    asked = history[-1] if history else None
    if was_immediate:
        return _EARLIER
    if asked and asked.outcome is Outcome.CRISIS_CHECK:
        return _after_check(messages[-1], drug) or own
    if asked and asked.outcome is Outcome.REFUSE_REDIRECT and own is None and _insists(messages[-1], drug):
        return asked
    return own


def more_pressing(own: Flag | None, alarm: Flag | None) -> Flag | None:
    """Which of the rules' flag and another detector's counts: danger to life first, else the rules' if any."""
    if alarm is None:
        return own
    if own is None or not _safety(own):
        return alarm
    urgent = (Outcome.CRISIS_IMMEDIATE, Outcome.EMERGENCY_MEDICAL)
    return alarm if alarm.outcome in urgent and own.outcome not in urgent else own


_EARLIER = Flag(Outcome.CRISIS_CHECK, "suicide_passive", "suicide_earlier", "earlier_crisis", "crisis_check_again")
_ANSWERED = Flag(
    Outcome.CRISIS_IMMEDIATE, "suicide_imminent", "suicide_answer", "yes_to_the_question", "crisis_immediate"
)


def _after_check(text: str, drug: str) -> Flag | None:
    """What an answer to the one direct question means: yes, a retraction (which does not erase it), or neither."""
    book = rulebook(drug)
    if _says(text, book, book.yes_answers, book.not_yes, YES_WORDS):
        return _ANSWERED
    return _EARLIER if _says(text, book, book.takes_back) else None


def _insists(text: str, drug: str) -> bool:
    """Whether a short message asks again for what was refused, without saying what."""
    book = rulebook(drug)
    return _says(text, book, book.insists, book.not_insists, INSISTING_WORDS)


def _safety(flag: Flag | None) -> bool:
    return flag is not None and flag.outcome in SAFETY


def _built_up(messages: Sequence[str], drug: str) -> Flag | None:
    """Danger that only the last messages together say, and that they did not say before the last one."""
    window = [*(message[-EDGE:] for message in messages[-JOINED:-1]), messages[-1][:EDGE]]
    for start in range(len(window) - 2, -1, -1):
        flag = scan(" ".join(window[start:]), drug)
        if flag and _safety(flag):
            before = scan(" ".join(window[start:-1]), drug)
            return None if before and _safety(before) else flag
    return None


def _says(
    text: str, book: Rulebook, phrases: tuple[Phrase, ...], but: tuple[Phrase, ...] = (), longest: int | None = None
) -> bool:
    """Whether the message holds one of the phrases and none of `but`, in at most so many words."""
    prepared = prepare(normalise(text), book.spelling)
    words = frozenset(prepared.split(" "))
    if longest is not None and len(prepared.replace(" . ", " ").split()) > longest:
        return False
    return any(True for _ in _spans(phrases, prepared, words)) and not any(True for _ in _spans(but, prepared, words))
