"""Reads one topic's folder into frozen types, and hashes what it read."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from server.corpus.schema import (
    Audit,
    Brief,
    ClaimRecord,
    Conflict,
    ContextCard,
    Source,
    Subject,
    Term,
    TopicFile,
)
from server.turn import Claim, Passage

M = TypeVar("M", bound=BaseModel)
COMMON = "common"


class CorpusError(ValueError):
    """A corpus file that cannot be read: names the file and what is wrong, one defect a line."""


@dataclass(frozen=True)
class Corpus:
    """One topic, loaded. Mappings are keyed by id; `examples` by brief id; `hash` covers every file read."""

    topic: TopicFile
    sources: Mapping[str, Source]
    passages: Mapping[str, Passage]
    claims: Mapping[str, Claim]
    briefs: Mapping[str, Brief]
    examples: Mapping[str, tuple[str, ...]]
    follow_ups: tuple[str, ...]
    subjects: Mapping[str, Subject]
    context: Mapping[str, ContextCard]
    glossary: tuple[Term, ...]
    audit: Audit
    conflicts: Mapping[str, Conflict]
    review: str
    hash: str

    def evidence(self, passage: str) -> str:
        """A passage as a reader sees it: under the name and kind of its work. Raises KeyError for an unknown id."""
        found = self.passages[passage]
        source = self.sources[found.source]
        return f"[{source.name}. {source.kind}] {found.text}"


def read_yaml(path: Path) -> Any:
    """The file's content. Raises CorpusError that names file and line."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CorpusError(f"{path.name}: {' '.join(str(error).split())}") from error


def read_text(path: Path) -> str:
    """The file's text. Raises CorpusError that names the file."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path.name}: {' '.join(str(error).split())}") from error


def _parse(model: type[M], data: Any, name: str) -> M:
    try:
        return TypeAdapter(model).validate_python(data)
    except ValidationError as error:
        lines = [f"{name}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise CorpusError("\n".join(lines)) from error


def _parse_list(model: type[M], data: Any, key: str, name: str) -> tuple[M, ...]:
    if not isinstance(data, dict) or set(data) - {key, "about"} or not isinstance(data.get(key), list):
        raise CorpusError(f"{name}: expected one list named {key!r}")
    if not all(isinstance(item, dict) for item in data[key]):
        raise CorpusError(f"{name}: every item under {key!r} must be a record")
    return tuple(_parse(model, item, f"{name}: {item.get('id', item.get('term', '?'))}") for item in data[key])


def _unique(items: Iterable[M], name: str, key: str = "id") -> dict[str, M]:
    found: dict[str, M] = {}
    for item in items:
        identifier = getattr(item, key)
        if identifier in found:
            raise CorpusError(f"{name}: duplicate {key} {identifier!r}")
        found[identifier] = item
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _passages(sources: Mapping[str, Source]) -> dict[str, Passage]:
    found: dict[str, Passage] = {}
    for source in sources.values():
        for record in source.passages:
            if record.id in found:
                raise CorpusError(f"{source.key}.yaml: duplicate id {record.id!r}")
            text = " ".join(record.text.split()) if record.words != "review" else record.text.strip()
            found[record.id] = Passage(record.id, source.key, record.section, record.words, text, _digest(text)[:16])
    return found


def _claim(record: ClaimRecord, passages: Mapping[str, Passage]) -> Claim:
    unknown = [p for p in record.passages if p not in passages]
    if unknown:
        raise CorpusError(f"{record.id}: cites unknown passage {unknown[0]!r}")
    sources = tuple(dict.fromkeys(passages[p].source for p in record.passages))
    fields = record.model_dump(exclude={"text", "topics"})
    return Claim(**fields, text=" ".join(record.text.split()), topics=frozenset(record.topics), sources=sources)


def _examples(paths: Iterable[Path]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    examples: dict[str, tuple[str, ...]] = {}
    follow_ups: list[str] = []
    for path in paths:
        if not path.exists():
            continue
        data = read_yaml(path)
        if not isinstance(data, dict) or not isinstance(data.get("briefs"), dict):
            raise CorpusError(f"{path.name}: expected a mapping named 'briefs'")
        for brief, questions in data["briefs"].items():
            if brief in examples:
                raise CorpusError(f"{path.name}: duplicate id {brief!r}")
            examples[brief] = tuple(map(str, questions))
        follow_ups += [str(item["text"]) for item in data.get("followups", ())]
    return examples, tuple(follow_ups)


def load_corpus(folder: Path) -> Corpus:
    """Load one topic. Raises CorpusError, one line a defect, when a file cannot be read as its schema."""
    files = sorted([*folder.rglob("*.yaml"), *folder.glob("*.md"), *(folder.parent / COMMON).glob("*.yaml")])
    sources = _unique(
        (_parse(Source, read_yaml(path), path.name) for path in sorted(folder.glob("sources/*.yaml"))),
        "sources",
        "key",
    )
    passages = _passages(sources)
    records = [claim for source in sources.values() for claim in source.claims]
    if (folder / "claims.yaml").exists():
        records += _parse_list(ClaimRecord, read_yaml(folder / "claims.yaml"), "claims", "claims.yaml")
    claims = {key: _claim(record, passages) for key, record in _unique(records, "claims").items()}
    brief_files = [folder.parent / COMMON / "briefs.yaml", folder / "briefs.yaml"]
    briefs = _unique(
        (b for path in brief_files for b in _parse_list(Brief, read_yaml(path), "briefs", path.name)),
        "briefs",
    )
    examples, follow_ups = _examples(
        [folder.parent / COMMON / "questions.yaml", *sorted(folder.glob("questions*.yaml"))]
    )
    audit = _parse(Audit, read_yaml(folder / "audit.yaml"), "audit.yaml")
    return Corpus(
        topic=_parse(TopicFile, read_yaml(folder / "topic.yaml"), "topic.yaml"),
        sources=sources,
        passages=passages,
        claims=claims,
        briefs=briefs,
        examples=examples,
        follow_ups=follow_ups,
        subjects=_unique(
            _parse_list(Subject, read_yaml(folder / "coverage.yaml"), "subjects", "coverage.yaml"),
            "coverage.yaml",
        ),
        context=_unique(
            _parse_list(ContextCard, read_yaml(folder / "context.yaml"), "cards", "context.yaml"),
            "context.yaml",
        ),
        glossary=_parse_list(Term, read_yaml(folder / "glossary.yaml"), "terms", "glossary.yaml"),
        audit=audit,
        conflicts=_unique(audit.conflicts, "audit.yaml"),
        review=read_text(folder / "review.md"),
        hash=_digest("\n".join(f"{f.name}:{_digest(read_text(f))}" for f in files)),
    )


def load_corpora(root: Path) -> dict[str, Corpus]:
    """Every topic under corpus/, by its folder's name. Raises CorpusError when there is none."""
    folders = [path.parent for path in sorted(root.glob("*/topic.yaml"))]
    if not folders:
        raise CorpusError(f"no topic found under {root.name}/")
    return {folder.name: load_corpus(folder) for folder in folders}
