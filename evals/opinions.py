"""A judge's opinions, each asked once and kept in the run folder, so that a run that is taken up again asks no more."""

from collections.abc import Iterable, Sequence

from evals.folder import Run
from evals.judges import Judge, Opinion
from evals.pairs import Pair, pair_key
from evals.runner import bar

OPINIONS = "opinions.jsonl"


class Opinions:
    """Asks the judge about a sentence and texts, or reads what it said before."""

    def __init__(self, judge: Judge, run: Run) -> None:
        self._judge = judge
        self._run = run
        self._held = {
            row["key"]: Opinion(row["supported"], row["why"])
            for row in run.rows(OPINIONS)
            if row["judge"] == judge.name
        }

    @property
    def name(self) -> str:
        """The judge's name."""
        return self._judge.name

    def of(self, sentence: str, texts: Sequence[str]) -> Opinion:
        """The opinion. A judge that raises has not judged; that goes to problems.log."""
        key = pair_key(sentence, texts)
        if key not in self._held:
            try:
                opinion = self._judge.judge(sentence, texts)
            except Exception as error:
                self._run.problem(f"judge {self.name}: {key}: {type(error).__name__}: {error}")
                opinion = Opinion(None, f"the judge failed: {type(error).__name__}")
            self._held[key] = opinion
            row = {"judge": self.name, "key": key, "supported": opinion.supported, "why": opinion.why}
            self._run.append(OPINIONS, row)
        return self._held[key]

    def bad(self, pair: Pair) -> bool | None:
        """Whether it calls the pair a hallucination; None is unjudged."""
        supported = self.of(pair.sentence, pair.texts).supported
        return None if supported is None else not supported

    def ask_all(self, pairs: Iterable[Pair]) -> None:
        """Every pair, with a progress bar."""
        listed = list(pairs)
        with bar() as progress:
            shown = progress.add_task(f"judge: {self.name}", total=len(listed))
            for one in listed:
                self.of(one.sentence, one.texts)
                progress.advance(shown)
