"""The pages: ask, help, sources, about, privacy. Everything works without a script."""

import asyncio
from typing import Any
from urllib.parse import unquote_plus

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from server.render import to_text
from server.render.cards import card_view
from server.render.sources import source_view
from server.routes.api import desk_of, view_of
from server.routes.body import Refused, country_of, read, readable
from server.routes.desk import Busy, Desk
from server.routes.form import Asked, as_json, fields, read_form
from server.routes.templates import context, dump, error_page, render
from server.turn import Outcome, Question, Turn

router = APIRouter(include_in_schema=False)
FRAGMENT = "text/x-plaincite-fragment"
View = dict[str, Any]


def _country(request: Request) -> str | None:
    given = request.query_params.get("country", "")
    return given if len(given) == 2 and given.isascii() and given.isalpha() else None


def _page(request: Request, name: str, **values: Any) -> HTMLResponse:
    desk = desk_of(request)
    return render(name, context(request, desk, _country(request)) | values)


@router.get("/")
async def start(request: Request) -> HTMLResponse:
    """The start page."""
    return _page(request, "ask.html.jinja", question="", history="[]", exchange=[])


def _exchange(asked: list[View], view: View) -> list[View]:
    """Pairs of question and reply for the log; earlier replies are shown as the text that the page carried."""
    pairs: list[View] = []
    for message in asked[:-1]:
        if message["role"] == "user":
            pairs.append({"question": message["content"], "reply": {"kind": "earlier", "text": ""}})
        elif pairs:
            pairs[-1]["reply"]["text"] = message["content"]
    return [*[p for p in pairs if p["reply"]["text"]], {"question": asked[-1]["content"], "reply": view}]


async def _turn(request: Request, found: dict[str, str], too_large: bool) -> tuple[Turn, list[View]]:
    """The finished turn and the dialogue with the new question. Raises Refused where nobody is in danger."""
    desk = desk_of(request)
    new = [{"role": "user", "content": found.get("question", "")}]
    try:
        asked = read_form(found, too_large, desk.corpora, desk.settings.topic)
        client = request.client.host if request.client else "local"
        if not desk.allowed(client):
            raise Refused(429, [{"field": "rate", "problem": "too many questions in a minute"}])
        if desk.off:
            raise Refused(503, [{"field": "service", "problem": "switched off"}])
        return await desk.ask(asked.question, "/ask"), [*_listed(asked), *new]
    except (Refused, Busy) as error:
        turn = await asyncio.to_thread(_danger, found, desk)
        if turn is not None:
            return desk.done(turn, "/ask"), new
        raise error if isinstance(error, Refused) else Refused(503, []) from None


def _listed(asked: Asked) -> list[View]:
    return [{"role": m.role, "content": m.content} for m in asked.question.messages[:-1]]


def _danger(found: dict[str, str], desk: Desk) -> Turn | None:
    body = as_json(found)
    return desk.danger(readable(body), country_of(body))


@router.post("/ask")
async def ask(request: Request) -> HTMLResponse:
    """The form: the whole page, or the fragment that the script asks for."""
    desk = desk_of(request)
    body, too_large = await read(request)
    try:
        found = fields(body, request.headers.get("content-type", ""))
    except Refused as error:
        turn_or_none = await asyncio.to_thread(desk.danger, (unquote_plus(body.decode("utf-8", "replace")),), None)
        if turn_or_none is None:
            raise error from None
        view = view_of(desk.done(turn_or_none, "/ask"), desk)
        view["text"] = to_text(view)
        base = context(request, desk, None) | {"history": "[]", "question": ""}
        return render("ask.html.jinja", base | {"exchange": [{"question": "", "reply": view}]})
    country, level = found.get("country") or None, found.get("level") or "plain"
    fragment = FRAGMENT in request.headers.get("accept", "")
    try:
        turn, dialogue = await _turn(request, found, too_large)
    except Refused as error:
        desk.metrics.refused(error.status)
        if error.status != 503:
            return _refused(request, desk, error.status, found, country)
        reason = "switched_off" if desk.off else "failure"
        card = "switched_off" if desk.off else "help_now"
        ended = Turn(Question((), country, topic=desk.settings.topic)).ended(Outcome.ERROR, reason, card)
        turn, dialogue = desk.done(ended, "/ask"), [{"role": "user", "content": found.get("question", "")}]
    view = view_of(turn, desk)
    view["text"] = to_text(view)
    history = dump([*dialogue, {"role": "assistant", "content": view["text"][:19_000]}])
    base = context(request, desk, country, level) | {"history": history}
    status = 503 if turn.reason == "switched_off" else 200
    if fragment:
        return render("components/reply.html.jinja", base | {"reply": view}, status)
    return render("ask.html.jinja", base | {"question": "", "exchange": _exchange(dialogue, view)}, status)


def _refused(request: Request, desk: Desk, status: int, found: dict[str, str], country: str | None) -> HTMLResponse:
    """A calm page that loses nothing: what was typed stands in it, to be copied or sent again."""
    response = error_page(request, desk, status, country, typed=found.get("question", ""))
    if status == 429:
        response.headers["Retry-After"] = "60"
    return response


@router.get("/help")
async def help_page(request: Request) -> HTMLResponse:
    """Help lines of one country first, then of all."""
    desk = desk_of(request)
    lines = [
        {
            "code": code,
            "name": entry["name"],
            "emergency": str(entry["emergency"]),
            "lines": desk.wording.lines(code),
        }
        for code, entry in desk.wording.countries.items()
    ]
    return _page(request, "help.html.jinja", all_lines=lines)


def _sources(desk: Desk) -> list[View]:
    passages = desk.corpus.passages.values()
    return [
        source_view(source, n, [p for p in passages if p.source == key], desk.wording)
        for n, (key, source) in enumerate(desk.corpus.sources.items(), start=1)
    ]


@router.get("/sources")
async def sources(request: Request) -> HTMLResponse:
    """All sources."""
    return _page(request, "sources.html.jinja", sources=_sources(desk_of(request)))


@router.get("/sources/{key}")
async def source(key: str, request: Request) -> HTMLResponse:
    """One source, and what the review says about it."""
    desk = desk_of(request)
    view = next((s for s in _sources(desk) if s["key"] == key), None)
    if view is None:
        return error_page(request, desk, 404)
    items = [i for i in desk.corpus.audit.audit if i.leans_on == key or key == "review"]
    audit = [i.model_dump(include={"id", "says", "verdict", "plain", "review_passage"}) for i in items]
    return _page(request, "source.html.jinja", source=view, audit=audit)


@router.get("/about")
async def about(request: Request) -> HTMLResponse:
    """What PlainCite is, how it answers, its labels and its fixed cards."""
    desk = desk_of(request)
    ids = [*desk.wording.cards, *desk.corpus.context]
    return _page(
        request,
        "about.html.jinja",
        newest=desk.corpus.topic.newest,
        sources_count=len(desk.corpus.sources),
        label_list=list(desk.wording.page["labels"].values()),
        card_list=[card_view(i, _country(request), desk.wording, desk.corpus) for i in ids],
    )


@router.get("/privacy")
async def privacy(request: Request) -> HTMLResponse:
    """The privacy notice."""
    return _page(request, "privacy.html.jinja")
