"""Fixed sentences: reviewed wording that states no study finding, filled with the topic's names."""

from server.corpus import Brief, Corpus
from server.turn import Role, Sentence
from server.wording import Wording


class Fixed:
    """Finds fixed sentences by id, the topic's own before the common ones."""

    def __init__(self, corpus: Corpus, wording: Wording) -> None:
        self._corpus = corpus
        self._wording = wording

    def text(self, identifier: str, country: str | None, kind: str = "fixed", **names: str) -> str:
        """The filled text. Raises KeyError for an unknown id (`plaincite corpus check` refuses those)."""
        topic = self._corpus.topic
        own = topic.fixed.get(identifier) if kind == "fixed" else None
        raw = own or self._wording.replies[kind][identifier]
        return self._wording.fill(raw, country, drug=topic.drug, condition=topic.condition, **names)

    def sentence(self, identifier: str, country: str | None, **names: str) -> Sentence:
        """A sentence of role `fixed`."""
        return Sentence(self.text(identifier, country, **names), Role.FIXED)

    def next_step(self, identifier: str, country: str | None) -> Sentence:
        """A sentence of role `next_step`."""
        return Sentence(self.text(identifier, country, "next_steps"), Role.NEXT_STEP)

    def silences(self, brief: Brief, country: str | None) -> list[Sentence]:
        """That the sources are silent, built from coverage.yaml."""
        subjects = [self._corpus.subjects[s].name for s in brief.coverage]
        return [self.sentence("not_covered", country, subject=name) for name in subjects]

    def aspect_missing(self, source: str, aspect: str, country: str | None) -> Sentence:
        """That our summary of a work does not say something."""
        name = self._corpus.sources[source].name.split(",")[0]
        words = self.text(aspect, country, "aspects")
        return self.sentence("aspect_missing", country, source=name, aspect=words)
