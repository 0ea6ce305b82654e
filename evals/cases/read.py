"""The one reader of case files. A broken line names file and line; an unknown field is refused."""

from collections.abc import Iterable
from pathlib import Path

from evals.cases.case import Case, CasesError
from evals.jsonl import read_lines
from server.corpus import Corpus

FOLDER = Path(__file__).resolve().parent
OPEN_FILES = (FOLDER / "dev.jsonl", FOLDER / "own.jsonl")


def read_cases(paths: Iterable[Path]) -> tuple[Case, ...]:
    """Every case of the files, in order. Raises CasesError, one line."""
    cases: dict[str, Case] = {}
    for path in paths:
        for where, case in read_lines(path, Case, CasesError):
            if case.id in cases:
                raise CasesError(f"{where}: id: {case.id!r} is taken")
            cases[case.id] = case
    return tuple(cases.values())


def open_cases() -> tuple[Case, ...]:
    """The development questions and our own, without the lock box."""
    cases = read_cases(OPEN_FILES)
    sealed = [case.id for case in cases if case.lockbox]
    if sealed:
        raise CasesError(f"{sealed[0]}: lockbox: a sealed case stands in an open file")
    return cases


def check_known(cases: Iterable[Case], corpus: Corpus) -> None:
    """Raises CasesError where a case names a source, passage or kind of question that the corpus does not hold."""
    known = {
        "expected_sources": set(corpus.sources),
        "studies": set(corpus.sources),
        "passages": set(corpus.passages),
        "intents": set(corpus.briefs),
    }
    for case in cases:
        for field, names in known.items():
            for name in getattr(case, field) or ():
                if name not in names:
                    raise CasesError(f"{case.id}: {field}: {name!r} is not in the corpus")
        if case.planted and case.planted.passage not in corpus.passages:
            raise CasesError(f"{case.id}: planted: {case.planted.passage!r} is not in the corpus")
