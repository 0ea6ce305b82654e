"""The figures as lines for the terminal, as tables, and as the model card."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evals.support.measures import Figure
from evals.support.scorers import GATE
from evals.support.sets import CORPUS, INVENTED, OURS
from server.verify.model import CONFIG

HERE = Path(__file__).parent
PUBLISHED = (
    ("TinyLettuce 17M", "68.5"),
    ("TinyLettuce 68M", "75.0"),
    ("groundcheck 150M", "69.6"),
    ("GPT-4, prompted", "63.4"),
    ("LettuceDetect 395M", "79.2"),
)


def _short(figure: Mapping[str, float]) -> str:
    return f"{figure['value']:.3f} ({figure['low']:.3f}–{figure['high']:.3f})"


def _percent(figure: Mapping[str, float]) -> str:
    return f"{100 * figure['value']:.1f} % ({100 * figure['low']:.1f}–{100 * figure['high']:.1f})"


def mean_auc(content: Mapping[str, Any], scorer: str) -> float | None:
    """Mean AUC of a scorer over the public sets; None where it was not asked of all of them."""
    found = [rows[scorer]["auc"]["value"] for name, rows in content["sets"].items() if _public(name) and scorer in rows]
    public = [name for name in content["sets"] if _public(name)]
    return sum(found) / len(found) if found and len(found) == len(public) else None


def _public(name: str) -> bool:
    return name not in {OURS, CORPUS, INVENTED}


def lines(content: Mapping[str, Any]) -> Iterator[str]:
    """What a terminal shows after all sets are measured."""
    for name, rows in content["sets"].items():
        for scorer, row in rows.items():
            if "false_support" in row:
                yield (
                    f"{name}, {scorer}: balanced accuracy {Figure(**row['balanced_accuracy'])}, "
                    f"false support {Figure(**row['false_support'])}, false drops {Figure(**row['false_drops'])}"
                )
            if "responses" in row:
                yield f"{name}, {scorer}: response-level F1 {Figure(**row['responses']['f1'])}"
    for scorer in dict.fromkeys(scorer for rows in content["sets"].values() for scorer in rows):
        mean = mean_auc(content, scorer)
        if mean is not None:
            yield f"mean AUC over the public sets, {scorer}: {mean:.3f}"


def _auc_table(content: Mapping[str, Any]) -> Iterator[str]:
    scorers = list(dict.fromkeys(scorer for rows in content["sets"].values() for scorer in rows))
    yield "| set | pairs | supported | " + " | ".join(scorers) + " |"
    yield "|---|---|---|" + "---|" * len(scorers)
    for name, rows in content["sets"].items():
        first = next(iter(rows.values()))
        told = [_short(rows[scorer]["auc"]) if scorer in rows else "" for scorer in scorers]
        yield f"| {name} | {first['pairs']} | {first['supported']} | " + " | ".join(told) + " |"
    means = [mean_auc(content, scorer) for scorer in scorers]
    yield "| mean of the public sets | | | " + " | ".join("" if m is None else f"{m:.3f}" for m in means) + " |"


def _limit_table(content: Mapping[str, Any]) -> Iterator[str]:
    yield "| set | balanced accuracy | F1 of the unsupported | unsupported that pass | supported that are dropped |"
    yield "|---|---|---|---|---|"
    for name, rows in content["sets"].items():
        row = rows.get(GATE)
        if row:
            yield (
                f"| {name} | {_short(row['balanced_accuracy'])} | {_short(row['f1_unsupported'])} | "
                f"{_percent(row['false_support'])} | {_percent(row['false_drops'])} |"
            )


def _kinds(content: Mapping[str, Any]) -> Iterator[str]:
    yield "| kind | " + " | ".join(name for name in content["sets"] if not _public(name)) + " |"
    planted = {name: rows[GATE] for name, rows in content["sets"].items() if not _public(name) and GATE in rows}
    yield "|---|" + "---|" * len(planted)
    for kind in sorted({kind for row in planted.values() for kind in row["passed_by_kind"]}):
        told = []
        for row in planted.values():
            passed, asked = row["passed_by_kind"].get(kind, (0, 0))
            told.append(f"{passed} of {asked}" if asked else "")
        yield f"| {kind} | " + " | ".join(told) + " |"


def _responses(content: Mapping[str, Any]) -> Iterator[str]:
    row = content["sets"].get("ragtruth", {}).get(GATE)
    if not row:
        return
    found = row["responses"]
    yield (
        f"Ours, on the {found['responses']} responses of the question-answering part of its test "
        f"({found['hallucinated']} of them hallucinated), at the limit that the gate uses: F1 {_short(found['f1'])}; "
        f"{found['flagged']} responses are flagged. AUC of the weakest sentence: {_short(found['auc'])}."
    )
    yield ""
    yield "Published figures, on the whole test and with limits set for it, so they are no like-for-like comparison:"
    yield "; ".join(f"{name} {value}" for name, value in PUBLISHED) + "."


def _checks(content: Mapping[str, Any]) -> Iterator[str]:
    yield "| set | check | errors stopped | true claims dropped |"
    yield "|---|---|---|---|"
    for name, rows in content["sets"].items():
        for check, row in rows.get(GATE, {}).get("checks", {}).items():
            yield f"| {name} | {check} | {_percent(row['stopped'])} | {_percent(row['false_drops'])} |"


def _calibration(content: Mapping[str, Any]) -> Iterator[str]:
    row = content["sets"].get(OURS, {}).get(GATE)
    if row:
        yield _short(row["calibration_error"])


def _speed(speed: Mapping[str, Any]) -> Iterator[str]:
    def told(name: str) -> str:
        return f"median {speed[name]['median']:.0f} ms, p95 {speed[name]['p95']:.0f} ms"

    yield (
        f"An answer's worth (6 sentences, 2 passages each) on {speed['threads']} threads: {told('answer_ms')}; "
        f"where the cited passages were read before: {told('read_before_ms')}. On one thread, as the server computes: "
        f"{told('one_thread_ms')}; read before: {told('one_thread_read_before_ms')}. "
        f"One claim and one passage: {told('claim_alone_ms')} "
        f"({speed['claims_per_second']['alone']:.0f} claims a second alone, "
        f"{speed['claims_per_second']['in_batches']:.0f} in batches). Six reviewed claims, whose verdicts are stored: "
        f"median {speed['stored_answer_ms']['median']:.2f} ms. Loading {speed['load_ms']:.0f} ms, "
        f"{speed['memory_mb']:.0f} MB of memory."
    )


def _drafts(content: Mapping[str, Any]) -> Iterator[str]:
    yield "| drafts of | unsupported, raw | unsupported among those shown | supported ones that are shown |"
    yield "|---|---|---|---|"
    for origin, row in content["drafts"].items():
        told = [row[name] for name in ("raw_unsupported", "shown_unsupported", "supported_shown")]
        yield f"| {origin} | " + " | ".join(_counted(one) for one in told) + " |"


def _counted(one: Mapping[str, Any]) -> str:
    if one["share"] is None:
        return "none"
    low, high = one["interval"]
    return f"{one['count']} of {one['of']} ({100 * one['share']:.0f} %, {100 * low:.0f}–{100 * high:.0f})"


def tables(content: Mapping[str, Any]) -> dict[str, str]:
    """Every measured part of the card, by name."""
    parts = {
        "auc": _auc_table(content),
        "limit": _limit_table(content),
        "kinds": _kinds(content),
        "responses": _responses(content),
        "checks": _checks(content),
        "drafts": _drafts(content),
        "calibration": _calibration(content),
        "speed": _speed(content["speed"]),
    }
    return {name: "\n".join(rows) or "not measured" for name, rows in parts.items()}


def page(content: Mapping[str, Any], model: Path) -> str:
    """The card of the model in the folder: its recipe, all tables, and its failures as somebody saw them."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    config = json.loads((model / CONFIG).read_text(encoding="utf-8"))
    words = Environment(loader=FileSystemLoader(HERE), undefined=StrictUndefined, keep_trailing_newline=True)
    return words.get_template("card.md.jinja").render(
        **tables(content),
        command=content["command"],
        recipe=config["recipes"][-1],
        phases=len(config["recipes"]),
        seeds=", ".join(str(recipe["seed"]) for recipe in config["recipes"]),
        threshold=config["threshold"],
        training=config["measured_in_training"],
        failures=(HERE / "failures.md").read_text(encoding="utf-8").strip(),
    )
