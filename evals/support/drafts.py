"""What the gate makes of a small model's raw drafts: which of the sentences that readers labelled would be shown.

A sentence is held to support, figures and wording; what labels demand hangs on its neighbours and is left out here, so
that more would be shown than is.
"""

from collections.abc import Iterable
from typing import Any

from evals.labels import Labelled
from evals.stats import share, wilson
from server.corpus import Corpus
from server.turn import Role, Sentence
from server.verify.stage import Verify

DRAFTED = ("rag", "no_retrieval")
STATES = ("supported", "unsupported")


def _of(shown: int, asked: int) -> dict[str, Any]:
    return {"count": shown, "of": asked, "share": share(shown, asked), "interval": wilson(shown, asked)}


def through_the_gate(
    labelled: Labelled, corpus: Corpus, gate: Verify, origins: Iterable[str] = DRAFTED
) -> dict[str, Any]:
    """By origin: the unsupported among all that state something, raw and as shown, and how many supported ones stay."""
    content: dict[str, Any] = {}
    gold, valid = labelled.gold, labelled.still_valid(corpus)
    drafts = [one for one in valid.values() if one.origin in set(origins)]
    gate.ask_ahead([Sentence(one.sentence, Role.POINT, one.passages) for one in drafts])
    for origin in origins:
        counts = {label: [0, 0] for label in (*STATES, "no_claim")}
        for key, one in valid.items():
            label = gold.get(key)
            if one.origin == origin and label in counts:
                verdict = gate.verdict(Sentence(one.sentence, Role.POINT, one.passages))
                counts[label] = [counts[label][0] + verdict.passed, counts[label][1] + 1]
        (good, all_good), (bad, all_bad), (empty, all_empty) = counts.values()
        content[origin] = {
            "raw_unsupported": _of(all_bad, all_bad + all_good),
            "shown_unsupported": _of(bad, bad + good),
            "unsupported_shown": _of(bad, all_bad),
            "supported_shown": _of(good, all_good),
            "no_claim_shown": _of(empty, all_empty),
        }
    return content
