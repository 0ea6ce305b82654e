"""Numbers of the report in words: no rate without its interval, nothing measured never as 0."""

from collections.abc import Mapping, Sequence
from typing import Any

NONE = "not measured"
PERCENT = "\u00a0%"  # the sign stays beside its number


def percent(value: float | None, digits: int = 1) -> str:
    """'3.1 %', or 'not measured'."""
    return NONE if value is None else f"{value * 100:.{digits}f}{PERCENT}"


def interval(pair: Sequence[float] | None) -> str:
    """'1.2 % to 4.0 %', or nothing."""
    return "" if pair is None else f"{percent(pair[0])} to {percent(pair[1])}"


def with_interval(one: Mapping[str, Any] | None) -> str:
    """'3.1 % (1.2 % to 4.0 %)' of a rate or a count, or 'not measured'."""
    if one is None:
        return NONE
    value = one.get("rate", one.get("share"))
    return NONE if value is None else f"{percent(value)} ({interval(one['interval'])})"


def count(one: Mapping[str, Any] | None) -> str:
    """'9 of 10, 90.0 % (59.6 % to 98.2 %)'."""
    if one is None or not one["of"]:
        return NONE
    return f"{one['held']} of {one['of']}, {with_interval(one)}"


def number(value: float | None, digits: int = 1) -> str:
    """A number, or 'not measured'."""
    return NONE if value is None else f"{value:,.{digits}f}"


def headline(found: Mapping[str, Any]) -> list[str]:
    """The rate in sentences that a reader can repeat."""
    if found["rate"] is None:
        return ["No sentence of PlainCite's replies is labelled, so there is no rate to tell."]
    said = [
        f"Of the sentences that PlainCite showed in this run, {percent(found['rate'])} said something that their "
        f"passages do not support (95 % interval {interval(found['interval'])}).",
        f"{found['judged']} different sentences were labelled, {found['bad']} of them unsupported. Together the run "
        f"showed sentences {found['shown']} times. {found['unjudged']} could not be judged and are not counted.",
    ]
    census = found["census"]
    said.append(
        f"PlainCite can show {census['sentences']} such sentences in all. {census['judged']} of them are labelled: "
        f"{census['bad']} unsupported, that is {with_interval(census)}."
    )
    if census["rule_of_three"] is not None:
        said.append(
            f"None was unsupported. With {census['judged']} sentences that allows a true rate of up to "
            f"{percent(census['rule_of_three'])} (rule of three)."
        )
    said.append(
        f'A claim of "under 1 %" needs {census["needed_for_under_1_percent"]} different sentences without one that is '
        "unsupported."
    )
    fixed = found["corrected"]
    said.append(
        f"The independent judge's rate, corrected for its errors, is {percent(fixed['rate'])}, interval "
        f"{interval(fixed['interval'])}: {fixed['why']}."
    )
    return said


READERS = (
    "The readers who labelled were language models, not people: no clinician and no patient has labelled anything. "
    "Two such readers agree more than two people would, so kappa is an upper bound."
)


def readers(labels: Mapping[str, Any]) -> list[str]:
    """Who labelled, and how far they agree."""
    said = [] if any(reader["is_person"] for reader in labels["readers"]) else [READERS]
    for one in labels["agreement"]:
        binary = "undefined" if one["kappa_binary"] is None else f"{one['kappa_binary']:.2f}"
        around = (
            f" ({one['binary_interval'][0]:.2f} to {one['binary_interval'][1]:.2f})" if one["binary_interval"] else ""
        )
        four = "undefined" if one["kappa"] is None else f"{one['kappa']:.2f}"
        said.append(
            f"Readers {one['readers'][0]} and {one['readers'][1]} gave the same label to {one['same']} of "
            f"{one['sentences']} sentences. Cohen's kappa: {four} over the four labels, {binary}{around} over "
            "unsupported or not."
        )
    said.append(f"{labels['settled']} disagreements were settled by a third reading and are kept.")
    return said
