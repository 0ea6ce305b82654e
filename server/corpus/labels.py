"""The words that a source's label demands of what is said from it (R5 to R8; design: corpus/README.md)."""

import re
from collections.abc import Iterable, Mapping

from server.corpus.schema import Source

# `preprint` may stand on the source alone (design: contracts.md, "Outcomes", labels).
DEMANDS: Mapping[str, re.Pattern[str]] = {
    label: re.compile(pattern, re.IGNORECASE)
    for label, pattern in {
        "animal": r"\brats?\b|\banimals?\b",
        "depression_only": r"\bdepress",
        "no_comparison_group": r"no comparison group|nothing to compare",
        "single_case": r"\bone person\b|\b(?:1|one) (?:person|case)\b",
        "small": r"\bsmall\b",
        "narrative_review": r"\breview\b",
        "abstract_not_read": r"only its title",
        "not_identified": r"could not find|not found",
        "later_version": r"later (?:journal )?version",
    }.items()
}
IN_EVERY_SENTENCE = frozenset({"animal"})
ONCE_PER_ANSWER = frozenset(DEMANDS) - IN_EVERY_SENTENCE


def missing(text: str, source: Source, demanded: Iterable[str]) -> list[str]:
    """Labels of the source, among those demanded, whose words the text lacks."""
    return [
        label for label in source.labels if label in demanded and label in DEMANDS and not DEMANDS[label].search(text)
    ]
