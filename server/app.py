"""create_app(settings): wiring only; nothing happens at import."""

from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from server import __version__
from server.corpus import load_corpora
from server.engine import Engine, load_engine
from server.paths import CORPUS, WEB
from server.render.api import help_line
from server.routes import api, health, pages
from server.routes.body import Refused
from server.routes.desk import Desk
from server.routes.templates import error_page
from server.screen.model import load as load_safety_model
from server.settings import Settings, SettingsError, load_settings
from server.verify.model import check as check_support_model
from server.wording import load_wording

log = structlog.get_logger("plaincite.app")
Loader = Callable[[Settings], Engine]
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def _refuse(request: Request, status: int, detail: object) -> Response:
    """Every 4xx and 5xx: calm words and help lines, as JSON under /api, else as a page; never the value or a trace."""
    desk: Desk = request.app.state.desk
    desk.metrics.refused(status)
    wants_page = not request.url.path.startswith(("/api", "/healthz", "/readyz", "/metrics"))
    if wants_page:
        response: Response = error_page(request, desk, status)
    else:
        errors = desk.wording.page["errors"]
        words = errors.get(str(status)) or errors["500" if status >= 500 else "400"]
        lines = [help_line(line) for line in desk.help_lines()]
        response = JSONResponse({"detail": detail, "message": words["message"], "help_lines": lines}, status)
    if status in api.RETRY_AFTER_S:
        response.headers["Retry-After"] = str(api.RETRY_AFTER_S[status])
    response.headers.update(HEADERS)
    return response


async def _on_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 registered for this type only
    return _refuse(request, error.status, error.problems)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 registered for this type only
    response = _refuse(request, error.status_code, str(error.detail))
    response.headers.update(error.headers or {})
    return response


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 registered for this type only
    fields = [{"field": ".".join(map(str, e["loc"])), "problem": str(e["msg"])} for e in error.errors()]
    return _refuse(request, 422, fields)


async def _on_anything(request: Request, error: Exception) -> Response:
    return _refuse(request, 500, "something broke here")


def _tell(engine: "Future[Engine]") -> None:
    """One line in the log when everything is loaded, or why it is not; no message, which could quote a path."""
    error = engine.exception()
    if error is None:
        log.info("engine.ready")
    else:
        log.error("engine.failed", error=type(error).__name__)


def check_start(settings: Settings, desk: Desk) -> None:
    """Raises SettingsError where production would start with unsigned words, or with an unknown topic."""
    if settings.topic not in desk.corpora:
        raise SettingsError(f"PLAINCITE_TOPIC: no topic {settings.topic!r} under corpus/")
    if settings.env == "production" and not desk.signed and settings.accept_unsigned != "yes":
        raise SettingsError(
            "PLAINCITE_ENV=production: cards and claims are not signed by a clinician; "
            "set PLAINCITE_ACCEPT_UNSIGNED=yes to start all the same"
        )


def create_app(settings: Settings | None = None, loader: Loader = load_engine) -> FastAPI:
    """The app. Index and models load in the background once it starts, the safety screen's before anything else.

    Raises SettingsError, CorpusError, ModelError, VerifierError.
    """
    settings = settings or load_settings()
    desk = Desk(settings, load_wording(), load_corpora(CORPUS), Future())
    check_start(settings, desk)
    load_safety_model()
    check_support_model()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pool = ThreadPoolExecutor(1, thread_name_prefix="load")
        desk.engine = pool.submit(loader, settings)
        desk.engine.add_done_callback(_tell)
        yield
        desk.close()
        pool.shutdown(wait=True)

    app = FastAPI(
        title="PlainCite",
        version=__version__,
        description="Plain answers, every study sentence tied to a passage. Not medical advice.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.desk = desk

    @app.middleware("http")
    async def _headers(request: Request, call_next: Callable[[Request], object]) -> Response:
        response: Response = await call_next(request)  # type: ignore[misc]
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    for kind, handler in (
        (Refused, _on_refused),
        (HTTPException, _on_http),
        (RequestValidationError, _on_invalid),
        (Exception, _on_anything),
    ):
        app.add_exception_handler(kind, handler)
    for router in (api.router, health.router, pages.router):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=WEB / "static"), name="static")
    return app
