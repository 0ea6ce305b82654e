"""Process up, index and models loaded, counters."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from server.routes.api import desk_of
from server.routes.body import Refused
from server.routes.shapes import Health, Refusal

router = APIRouter()


@router.get("/healthz", response_model=Health)
async def healthz() -> JSONResponse:
    """The process is up."""
    return JSONResponse({"status": "up"})


@router.get("/readyz", response_model=Health, responses={503: {"model": Refusal}})
async def readyz(request: Request) -> JSONResponse:
    """Index and models are loaded; 503 until then."""
    desk = desk_of(request)
    if not desk.ready:
        failed = desk.engine.done()
        raise Refused(503, [{"field": "service", "problem": "failed to load" if failed else "still loading"}])
    return JSONResponse({"status": "ready"})


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request) -> Response:
    """Prometheus counters; safety outcomes in tens."""
    return Response(desk_of(request).metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
