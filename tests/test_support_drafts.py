"""Drafts of a small model before and after the gate: counts by label, and nothing that nobody labelled."""

from collections.abc import Sequence

from conftest import TOPIC

from evals.labels.read import Drawn, Label, Labelled, Reader
from evals.pairs import pair_key
from evals.support.drafts import through_the_gate
from server.corpus import load_corpora
from server.paths import CORPUS
from server.verify.model import load
from server.verify.stage import Verify
from server.verify.support import Asked, Held, Supports
from server.wording import load_wording

REAL = load_corpora(CORPUS)[TOPIC]
PASSAGE = "feder2014.results.1"


class Told(Supports):
    """Supports what says so."""

    def __init__(self) -> None:
        super().__init__(load())

    def verdicts(self, wanted: Sequence[Asked]) -> list[Held]:
        return [Held(1.0 if "shown" in text else 0.0) for text, _ in wanted]


def test_what_is_shown_is_counted_by_label() -> None:
    rows = [
        ("It is shown and true.", "supported"),
        ("It is true.", "supported"),
        ("It is shown and false.", "unsupported"),
        ("It is false.", "unsupported"),
        ("It is also false.", "unsupported"),
        ("It is shown, whatever.", "no_claim"),
        ("It is shown by nobody.", "cannot_tell"),
    ]
    drawn = {
        key: Drawn(key=key, sentence=text, passages=(PASSAGE,), origin="rag")
        for text, _ in rows
        for key in [pair_key(text, [REAL.evidence(PASSAGE)])]
    }
    labels = {
        key: Label.model_validate({"key": key, "label": label, "why": "x"})
        for key, (_, label) in zip(drawn, rows, strict=True)
    }
    readers = tuple(Reader(name=name, is_person=False, about="x") for name in ("a", "b"))
    labelled = Labelled(drawn, readers, {"a": labels, "b": labels}, {})
    found = through_the_gate(labelled, REAL, Verify(REAL, load_wording(), Told()), ["rag", "nobody"])
    assert (found["rag"]["raw_unsupported"]["count"], found["rag"]["raw_unsupported"]["of"]) == (3, 5)
    assert (found["rag"]["shown_unsupported"]["count"], found["rag"]["shown_unsupported"]["of"]) == (1, 2)
    assert (found["rag"]["supported_shown"]["count"], found["rag"]["supported_shown"]["of"]) == (1, 2)
    assert (found["rag"]["no_claim_shown"]["count"], found["rag"]["no_claim_shown"]["of"]) == (1, 1)
    assert found["nobody"]["raw_unsupported"]["share"] is None
