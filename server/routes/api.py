"""`/api/ask`, its stream, and the sources as JSON."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse

from server.render import View, to_api, to_view
from server.render import api as shapes_of
from server.render.sources import source_view
from server.routes.body import Refused, country_of, parse, read, readable, request_schema
from server.routes.desk import Busy, Desk
from server.routes.shapes import AskResponse, Refusal, SourceList, SourceOut
from server.turn import Outcome, Question, Turn

router = APIRouter(prefix="/api")
RETRY_AFTER_S = {429: 60, 503: 5}
_REFUSALS: dict[int | str, dict[str, Any]] = {s: {"model": Refusal} for s in (413, 422, 429)}
_REFUSALS[503] = {"model": AskResponse | Refusal, "description": "Switched off, or too many requests wait"}
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": request_schema()}}}}


def desk_of(request: Request) -> Desk:
    """The app's state."""
    desk: Desk = request.app.state.desk
    return desk


def view_of(turn: Turn, desk: Desk) -> View:
    """The turn's view, in its own topic."""
    return to_view(turn, desk.corpora.get(turn.question.topic, desk.corpus), desk.wording)


async def admitted(request: Request, route: str) -> Question | Turn:
    """The question, or a turn that has already ended: danger in a refused request, or switched off. Raises Refused."""
    desk = desk_of(request)
    body, too_large = await read(request)
    refusal: Refused | None = None
    try:
        question = parse(body, too_large, list(desk.corpora), desk.settings.topic)
    except Refused as error:
        refusal = error
    client = request.client.host if request.client else "local"
    if refusal is None and not desk.allowed(client):
        refusal = Refused(429, [{"field": "rate", "problem": "too many questions in a minute"}])
    if refusal is None and not desk.off:
        return question
    turn = await asyncio.to_thread(desk.danger, readable(body), country_of(body))
    if turn is not None:
        return desk.done(turn, route)
    if refusal is not None:
        raise refusal
    return desk.done(Turn(question).ended(Outcome.ERROR, "switched_off", "switched_off"), route)


async def _reply(question: Question | Turn, desk: Desk, route: str, body: bytes = b"") -> Turn:
    if isinstance(question, Turn):
        return question
    try:
        return await desk.ask(question, route)
    except Busy:
        turn = await asyncio.to_thread(desk.danger, question.user_messages, question.country)
        if turn is not None:
            return desk.done(turn, route)
        raise Refused(503, [{"field": "service", "problem": "too many requests wait"}]) from None


def _status(turn: Turn) -> int:
    return 503 if turn.reason == "switched_off" else 200


@router.post("/ask", response_model=AskResponse, responses=_REFUSALS, openapi_extra=_BODY)
async def ask(request: Request) -> JSONResponse:
    """Answer the dialogue's last message."""
    desk = desk_of(request)
    turn = await _reply(await admitted(request, "/api/ask"), desk, "/api/ask")
    return JSONResponse(to_api(view_of(turn, desk)), _status(turn))


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


async def _events(question: Question | Turn, desk: Desk) -> AsyncIterator[str]:
    """Stages as they end; then card, checked sentences and the whole response. Nothing unverified is sent."""
    turn = question if isinstance(question, Turn) else None
    if isinstance(question, Question):
        queue: asyncio.Queue[str | Turn | Exception] = asyncio.Queue()
        work = asyncio.create_task(_work(question, desk, queue))
        while turn is None:
            item = await queue.get()
            if isinstance(item, Turn):
                turn = item
            elif isinstance(item, str):
                yield _event("stage", {"name": item})
        await work
    assert turn is not None  # noqa: S101 the loop above ends with a turn
    response = to_api(view_of(turn, desk))
    if response["card"] is not None:
        yield _event("card", response["card"])
    for sentence in response["sentences"]:
        yield _event("sentence", sentence)
    yield _event("done", response)


async def _work(question: Question, desk: Desk, queue: "asyncio.Queue[str | Turn | Exception]") -> None:
    loop = asyncio.get_running_loop()

    def told(stage: str) -> None:
        loop.call_soon_threadsafe(queue.put_nowait, stage)

    try:
        turn = await desk.ask(question, "/api/ask/stream", told)
    except Exception:  # too many wait, or something broke: the stream still ends with a reply
        ended = await asyncio.to_thread(desk.danger, question.user_messages, question.country)
        turn = desk.done(ended or Turn(question).ended(Outcome.ERROR, "failure", "help_now"), "/api/ask/stream")
    await queue.put(turn)


@router.post("/ask/stream", response_class=StreamingResponse, responses=_REFUSALS, openapi_extra=_BODY)
async def ask_stream(request: Request) -> StreamingResponse:
    """The same as server-sent events: `stage`, `card`, `sentence`, `done`."""
    desk = desk_of(request)
    question = await admitted(request, "/api/ask/stream")
    status = _status(question) if isinstance(question, Turn) else 200
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(question, desk), status, headers, "text/event-stream")


def _source(key: str, n: int, desk: Desk) -> View:
    source = desk.corpus.sources[key]
    passages = [p for p in desk.corpus.passages.values() if p.source == key]
    return source_view(source, n, passages, desk.wording)


@router.get("/sources", response_model=SourceList)
async def sources(request: Request) -> JSONResponse:
    """Every source with its study card and all of its passages."""
    desk = desk_of(request)
    views = [shapes_of.source(_source(key, n, desk)) for n, key in enumerate(desk.corpus.sources, start=1)]
    return JSONResponse({"sources": views})


@router.get("/sources/{key}", response_model=SourceOut, responses={404: {"model": Refusal}})
async def source(key: str, request: Request) -> JSONResponse:
    """One source."""
    desk = desk_of(request)
    if key not in desk.corpus.sources:
        raise Refused(404, [{"field": "key", "problem": "unknown source"}])
    return JSONResponse(shapes_of.source(_source(key, 1, desk)))
