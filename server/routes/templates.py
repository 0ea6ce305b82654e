"""The Jinja2 environment and what every page's context holds."""

import json
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from server import __version__
from server.paths import WEB
from server.routes.desk import Desk

View = dict[str, Any]
ENVIRONMENT = Environment(
    loader=FileSystemLoader(WEB / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def context(request: Request, desk: Desk, country: str | None, level: str = "plain") -> View:
    """What every template may use."""
    topic = desk.corpus.topic
    wording = desk.wording
    code = (country or "").upper()
    return {
        "words": wording.page,
        "topic": {
            "id": topic.id,
            "title": topic.title,
            "drug": topic.drug,
            "condition": topic.condition,
            "example_questions": list(topic.example_questions),
            "newest": topic.newest,
            "review_title": desk.corpus.sources["review"].title,
        },
        "country": "GB" if code == "UK" else code,
        "countries": [{"code": c, "name": entry["name"]} for c, entry in wording.countries.items()],
        "level": level,
        "version": __version__,
        "signed": desk.signed,
        "path": request.url.path,
        "exit_url": desk.settings.exit_url,
        "report_to": desk.settings.report_to,
        "help_lines": wording.lines(country),
        "emergency": wording.emergency(country),
    }


def render(name: str, values: View, status: int = 200) -> HTMLResponse:
    """A page. Never cached: it may hold a dialogue."""
    page = ENVIRONMENT.get_template(name).render(values)
    return HTMLResponse(page, status, {"Cache-Control": "no-store"})


def dump(history: list[View]) -> str:
    """The dialogue as the hidden field carries it."""
    return json.dumps(history, ensure_ascii=False)


def error_page(request: Request, desk: Desk, status: int, country: str | None = None, typed: str = "") -> HTMLResponse:
    """A calm page with the help lines, and the text that was typed, so that nothing is lost."""
    errors = desk.wording.page["errors"]
    words = errors.get(str(status)) or errors["500" if status >= 500 else "400"]
    values = context(request, desk, country) | {"status": status, "typed": typed, **words}
    return render("error.html.jinja", values, status)
