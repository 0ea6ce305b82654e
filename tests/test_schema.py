"""Requests made from the app's own OpenAPI document: every reply is one that the document promises, and none breaks."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from server.app import create_app
from server.engine import Engine
from server.pipeline import Pipeline
from server.settings import Settings

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
OPERATIONS = {
    "POST /api/ask",
    "POST /api/ask/stream",
    "GET /api/sources",
    "GET /api/sources/{key}",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
}
WITH_BODY = {"POST /api/ask", "POST /api/ask/stream"}
VALID, BROKEN = GenerationMode.POSITIVE, GenerationMode.NEGATIVE


@pytest.fixture(scope="module")
def api(engine: Engine, data_dir: Path) -> Iterator[Any]:
    """The app's document, once everything is loaded; the app runs until the module's tests have ended."""
    settings = Settings.model_validate({"data_dir": data_dir, "rate_per_minute": 0})
    own = {topic: Pipeline(pipeline._stages, 30.0) for topic, pipeline in engine.pipelines.items()}
    app = create_app(settings, loader=lambda _: Engine(engine.corpora, engine.wording, own))
    with TestClient(app) as client:
        until = time.monotonic() + 20
        while client.get("/readyz").status_code != 200 and time.monotonic() < until:
            time.sleep(0.05)
        yield schemathesis.openapi.from_asgi("/api/openapi.json", app)


# Any text is a key, and nothing else can be broken about a call without a body.
CALLS = [(label, VALID) for label in sorted(OPERATIONS)] + [(label, BROKEN) for label in sorted(WITH_BODY)]


@pytest.mark.parametrize(("label", "mode"), CALLS, ids=lambda value: str(getattr(value, "value", value)))
def test_replies_are_as_the_document_says(api: Any, label: str, mode: GenerationMode) -> None:
    method, path = label.split()
    operation = api[path][method]
    assert bool(list(operation.body)) == (label in WITH_BODY)
    strategy = operation.as_strategy(generation_mode=mode)

    @hypothesis.settings(
        max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @hypothesis.given(case=strategy)
    def replies(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    replies()


def test_every_operation_is_in_the_document(api: Any) -> None:
    labels = {result.ok().label for result in api.get_all_operations()}
    assert labels == OPERATIONS


def test_every_reply_has_a_model_with_its_fields_required(api: Any) -> None:
    """Every field is always there: the document says so, too."""
    models = api.raw_schema["components"]["schemas"]
    asked = api.raw_schema["paths"]["/api/ask"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(asked["properties"]) == {"messages", "country", "level", "topic"}
    assert asked["additionalProperties"] is False
    for name in ("AskResponse", "Card", "SentenceOut", "Checks", "SourceOut", "PassageOut", "Refusal", "HelpLine"):
        assert set(models[name]["required"]) == set(models[name]["properties"]), name


def test_every_reference_of_the_document_leads_somewhere(api: Any) -> None:
    document = api.raw_schema
    for reference in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document))):
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            assert step in place, reference
            place = place[step]
