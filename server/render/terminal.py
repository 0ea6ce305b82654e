"""A reply in the terminal: card first, sentences with footnotes, then sources with links."""

from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from server.render.cards import card_text
from server.render.text import line_text

View = dict[str, Any]
_STYLE = {"emergency": "red", "urgent": "yellow", "note": "blue"}


def _card(view: View, console: Console) -> None:
    lines = [card_text(view), *[line_text(line) for line in view["help_lines"]]]
    console.print(Panel(Text("\n".join(lines)), title=Text(view["title"]), border_style=_STYLE[view["urgency"]]))


def _checks(view: View, console: Console) -> None:
    for item in view["sentences"]:
        marks = ", ".join(f"{k} {v}" for k, v in item["checks"].items())
        passages = ", ".join(c["passage_id"] for c in item["citations"]) or "none"
        console.print(Text(f"- {item['text']}\n  passages: {passages}; {marks}", style="dim"))
    console.print(Text(", ".join(f"{k} {v}" for k, v in view["made_with"].items()), style="dim"))


def show(view: View, checks: bool, console: Console | None = None) -> None:
    """Print the reply; `checks` adds what verify found for each sentence."""
    console = console or Console()
    if view["card"]:
        _card(view["card"], console)
    for line in (view["language"] or {"text": []})["text"]:
        console.print(Text(line))
    for group in view["groups"]:
        if group["heading"]:
            console.print(Text(f"\n{group['heading']}", style="bold"))
        for item in group["sentences"]:
            bullet = "• " if group["role"] in {"point", "unknown"} else ""
            notes = "".join(dict.fromkeys(c["mark"] for c in item["citations"]))
            console.print(Text.assemble(bullet, item["text"], (f" {notes}" if notes else "", "cyan")))
    if view["conflict"]:
        console.print(Text("\nThe sources differ", style="bold"))
        for side in view["conflict"]["sides"]:
            console.print(Text(f"• {side['name']}: {side['finding']}"))
        console.print(Text(view["conflict"]["why_they_may_differ"]))
    if view["sources"]:
        console.print(Text("\nSources", style="bold"))
    for source in view["sources"]:
        labels = "; ".join(label["name"] for label in source["labels"])
        console.print(Text(f"[{source['n']}] {source['name']} · {source['kind']}{' · ' + labels if labels else ''}"))
        console.print(Text(f"    {source['url'] or 'no address known'}", style="cyan"))
    if checks:
        _checks(view, console)
    console.print(Text("\nNot medical advice. A computer program; no clinician has signed these words.", style="dim"))
