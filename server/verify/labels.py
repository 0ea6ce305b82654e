"""The words that the labels of cited sources demand (R5 to R8)."""

from collections.abc import Iterable

from server.corpus import Corpus
from server.corpus.labels import IN_EVERY_SENTENCE, ONCE_PER_ANSWER, missing
from server.turn import Sentence


def sources_of(sentence: Sentence, corpus: Corpus) -> list[str]:
    """Keys of the sources that a sentence cites, in order."""
    return list(dict.fromkeys(corpus.passages[p].source for p in sentence.citations if p in corpus.passages))


def label_faults(sentences: Iterable[Sentence], corpus: Corpus) -> set[str]:
    """Texts of the sentences that fail: an animal study not called one, or a source whose label no sentence says."""
    sentences = list(sentences)
    faults = set()
    cited: dict[str, list[Sentence]] = {}
    for sentence in sentences:
        for key in sources_of(sentence, corpus):
            cited.setdefault(key, []).append(sentence)
            if missing(sentence.text, corpus.sources[key], IN_EVERY_SENTENCE):
                faults.add(sentence.text)
    for key, citing in cited.items():
        if missing(" ".join(s.text for s in citing), corpus.sources[key], ONCE_PER_ANSWER):
            faults |= {s.text for s in citing}
    return faults
