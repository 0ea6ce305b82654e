"""The default composer: orders reviewed claims into an answer, or a fixed ending, by the question's brief."""

from server.compose.fixed import Fixed
from server.compose.plan import (
    as_role,
    from_brief,
    from_study,
    sentence,
    shortened,
    with_both_sides,
    with_labels,
)
from server.corpus import Brief, Corpus
from server.corpus.labels import ONCE_PER_ANSWER, missing
from server.reading_level import is_word, words
from server.turn import ANSWERED, Draft, Outcome, Reading, Role, Sentence, Turn
from server.wording import Wording

REVIEW = "review"
FALLBACK_CLAIMS = 3
MIN_WORDS = 2


class Compose:
    """Turn → Turn with a draft. It proposes; only verify may call it an answer."""

    def __init__(self, corpus: Corpus, wording: Wording) -> None:
        self._corpus = corpus
        self._fixed = Fixed(corpus, wording)

    def __call__(self, turn: Turn) -> Turn:
        """The turn with its draft; raises ValueError without a reading."""
        reading = turn.reading
        if reading is None:
            raise ValueError("compose needs a reading")
        brief = self._corpus.briefs.get(reading.brief or "")
        draft = self._from_brief(brief, turn, reading) if brief is not None else self._without_brief(turn, reading)
        return turn.having(draft=draft)

    def _from_brief(self, brief: Brief, turn: Turn, reading: Reading) -> Draft:
        country = turn.question.country
        if brief.outcome not in ANSWERED:
            return self._fixed_ending(brief, country)
        cited = {
            s
            for claim in (brief.lead, brief.premise, *brief.points)
            if claim
            for s in self._corpus.claims[claim].sources
        }
        named = set(reading.studies) - {REVIEW}
        if brief.aspect or (named and not cited & named):
            return self._about_study(brief, reading, country)
        return self._from_plan(brief, country)

    def _from_plan(self, brief: Brief, country: str | None) -> Draft:
        return self._answer(brief, self._completed(from_brief(brief, self._corpus)), country)

    def _about_study(self, brief: Brief, reading: Reading, country: str | None) -> Draft:
        asked = brief if brief.aspect else self._corpus.briefs[self._corpus.topic.study_brief]
        if set(reading.studies) == {REVIEW} and asked.without_study:
            return self._from_plan(self._corpus.briefs[asked.without_study], country)
        body = from_study(asked, reading.studies, self._corpus)
        if not body:
            silence = self._silence(reading.studies[0], asked.aspect[0], country)
            step = [self._fixed.next_step(asked.next_step, country)] if asked.next_step else []
            return Draft(Outcome.DECLINE_REDIRECT, "not_in_sources", (silence, *step))
        if all("not_identified" in self._corpus.sources[s].labels for s in reading.studies):
            return self._not_identified(body, asked, country)
        return self._answer(asked, self._completed(body), country)

    def _silence(self, source: str, aspect: str, country: str | None) -> Sentence:
        listed_only = source in self._corpus.audit.works.listed_but_never_cited and aspect == "review_says"
        if listed_only:
            return self._fixed.sentence("listed_only", country, source=self._corpus.sources[source].name.split(",")[0])
        return self._fixed.aspect_missing(source, aspect, country)

    def _not_identified(self, body: list[Sentence], brief: Brief, country: str | None) -> Draft:
        """A work that nobody could find: what the review says of it, that it was not found, and no more (R8)."""
        claims = self._corpus.claims.values()
        named = {s for item in body if item.claim for s in self._corpus.claims[item.claim].sources}
        said = [c for c in claims if c.sources == (REVIEW,) and c.topics & {s.rstrip("0123456789") for s in named}]
        step = [self._fixed.next_step(brief.next_step, country)] if brief.next_step else []
        told = [sentence(claim, Role.LEAD) for claim in said[:1]] + [as_role(item, Role.POINT) for item in body[:1]]
        return Draft(Outcome.DECLINE_REDIRECT, "not_in_sources", (*told, *step))

    def _completed(self, body: list[Sentence]) -> list[Sentence]:
        return with_labels(with_both_sides(body, self._corpus), self._corpus)

    def _answer(self, brief: Brief, body: list[Sentence], country: str | None) -> Draft:
        extra = [self._fixed.sentence(f, country) for f in brief.fixed]
        step = [self._fixed.next_step(brief.next_step, country)] if brief.next_step else []
        whole = shortened([*body, *extra, *step], self._label_carriers(body))
        conflict = brief.conflict if self._shows(brief.conflict, whole) else None
        return Draft(brief.outcome, None, tuple(whole), brief.card, conflict)

    def _label_carriers(self, body: list[Sentence]) -> frozenset[str]:
        """Claims without which some source would lose the only words that its labels demand."""
        needed = set()
        for item in body:
            if item.claim is None:
                continue
            for key in self._corpus.claims[item.claim].sources:
                rest = [
                    s for s in body if s.claim and s.claim != item.claim and key in self._corpus.claims[s.claim].sources
                ]
                said = " ".join(s.text for s in rest)
                if rest and missing(said, self._corpus.sources[key], ONCE_PER_ANSWER):
                    needed.add(item.claim)
        return frozenset(needed)

    def _shows(self, conflict: str | None, whole: list[Sentence]) -> bool:
        if conflict is None:
            return False
        sources = {s for item in whole if item.claim for s in self._corpus.claims[item.claim].sources}
        return any(side.source in sources for side in self._corpus.conflicts[conflict].sides)

    def _fixed_ending(self, brief: Brief, country: str | None) -> Draft:
        said = self._fixed.silences(brief, country) + [self._fixed.sentence(f, country) for f in brief.fixed]
        cited = [sentence(self._corpus.claims[claim], Role.POINT) for claim in brief.points]
        cited = with_labels(cited, self._corpus) if cited else []
        if cited and not said:
            cited[0] = as_role(cited[0], Role.LEAD)
        step = [self._fixed.next_step(brief.next_step, country)] if brief.next_step else []
        return Draft(brief.outcome, brief.reason, (*said, *cited, *step), brief.card)

    def _without_brief(self, turn: Turn, reading: Reading) -> Draft:
        """No kind of question is near: answer from near claims, decline honestly, or ask what is meant."""
        country, topic, briefs = turn.question.country, self._corpus.topic, self._corpus.briefs
        if reading.studies:
            return self._about_study(briefs[topic.study_brief], reading, country)
        near = [h for h in turn.hits if h.kind == "claim" and h.similarity >= topic.claim_threshold]
        if near and reading.in_scope:
            found = [sentence(self._corpus.claims[h.id], Role.POINT) for h in near[:FALLBACK_CLAIMS]]
            found[0] = as_role(found[0], Role.LEAD)
            step = self._fixed.next_step(topic.fallback_next_step, country)
            return Draft(Outcome.ANSWER, None, tuple(shortened([*self._completed(found), step], frozenset())))
        if not reading.in_scope:
            vague = sum(map(is_word, words(reading.query))) < MIN_WORDS  # nothing typed, emoji, keys at random
            return self._fixed_ending(briefs["unclear" if vague else "off_topic"], country)
        silent = self._corpus.subjects.get(reading.subject or "")
        said = (
            self._fixed.sentence("not_covered", country, subject=silent.name)
            if silent is not None
            else self._fixed.sentence("not_found", country)
        )
        step = self._fixed.next_step(topic.fallback_next_step, country)
        return Draft(Outcome.DECLINE_REDIRECT, "not_in_sources", (said, step))
