"""Settings: defaults, and one clear line for every unknown, unsafe or reserved value; README's table says the same."""

import re
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from pydantic import ValidationError

from server.paths import ROOT
from server.settings import PREFIX, Settings, SettingsError, load_settings

README = ROOT / "README.md"
ROW = re.compile(r"\| `(?P<name>[A-Z_]+)` \| (?P<default>.*?) ?\| (?P<description>.+) \|")


def refused(**environ: str) -> str:
    """The message that stops the start; it must be one line."""
    with pytest.raises(SettingsError) as caught:
        load_settings({PREFIX + name: value for name, value in environ.items()})
    message = str(caught.value)
    assert message
    assert "\n" not in message
    return message


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = load_settings({})
    assert settings.data_dir == Path(platformdirs.user_data_dir("plaincite"))
    assert (settings.env, settings.accept_unsigned, settings.off) == ("local", "no", "no")
    assert settings.rate_per_minute == 30
    assert settings.chroma_url is None
    assert settings.topic == "ketamine-ptsd"
    assert (settings.stage_timeout_s, settings.max_running, settings.max_waiting) == (5.0, 4, 64)
    assert settings.exit_url.startswith("https://")
    assert settings.report_to is None
    assert (settings.chat_model, settings.chat_base_url, settings.chat_api_key) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("DATA_DIR", "/tmp/somewhere", "data_dir", Path("/tmp/somewhere")),
        ("ENV", "production", "env", "production"),
        ("ACCEPT_UNSIGNED", "yes", "accept_unsigned", "yes"),
        ("OFF", "yes", "off", "yes"),
        ("RATE_PER_MINUTE", "0", "rate_per_minute", 0),
        ("RATE_PER_MINUTE", "100000", "rate_per_minute", 100_000),
        ("CHROMA_URL", "http://127.0.0.1:8001", "chroma_url", "http://127.0.0.1:8001"),
        ("CHROMA_URL", "https://store.example", "chroma_url", "https://store.example"),
        ("STAGE_TIMEOUT_S", "0.5", "stage_timeout_s", 0.5),
        ("MAX_RUNNING", "1", "max_running", 1),
        ("MAX_WAITING", "0", "max_waiting", 0),
        ("REPORT_TO", "problems@example.org", "report_to", "problems@example.org"),
    ],
)
def test_a_good_value_is_taken(name: str, value: str, field: str, expected: Any) -> None:
    assert getattr(load_settings({PREFIX + name: value}), field) == expected


@pytest.mark.parametrize("name", [field.upper() for field in Settings.model_fields])
def test_an_empty_value_is_as_good_as_none(name: str) -> None:
    assert load_settings({PREFIX + name: ""}) == load_settings({})


def test_names_without_the_prefix_are_nobody_s_business() -> None:
    assert load_settings({"PATH": "/bin", "TOPIC": "other", "PLAIN_OFF": "yes"}) == load_settings({})


@pytest.mark.parametrize("name", ["RATE", "DATADIR", "CHAT", "off", "CHROMIUM", ""])
def test_an_unknown_name_stops_the_start(name: str) -> None:
    assert refused(**{name: "1"}) == f"{PREFIX}{name} is not a setting; see the settings table in README.md"


def test_the_first_unknown_name_is_told_even_beside_bad_values() -> None:
    assert refused(ZEBRA="1", APPLE="1", RATE_PER_MINUTE="lots").startswith("PLAINCITE_APPLE ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENV", "prod"),
        ("ENV", "Production"),
        ("ACCEPT_UNSIGNED", "true"),
        ("OFF", "1"),
        ("RATE_PER_MINUTE", "-1"),
        ("RATE_PER_MINUTE", "100001"),
        ("RATE_PER_MINUTE", "many"),
        ("RATE_PER_MINUTE", "1.5"),
        ("STAGE_TIMEOUT_S", "0"),
        ("STAGE_TIMEOUT_S", "61"),
        ("STAGE_TIMEOUT_S", "nan"),
        ("MAX_RUNNING", "0"),
        ("MAX_RUNNING", "65"),
        ("MAX_WAITING", "-1"),
        ("CHROMA_URL", "localhost:8000"),
        ("CHROMA_URL", "file:///etc/passwd"),
        ("CHROMA_URL", "ftp://127.0.0.1"),
        ("EXIT_URL", "javascript:alert(1)"),
        ("EXIT_URL", "www.weather.gov"),
    ],
)
def test_a_bad_value_stops_the_start_and_is_named(name: str, value: str) -> None:
    assert refused(**{name: value}).startswith(f"{PREFIX}{name}: ")


@pytest.mark.parametrize("name", ["CHAT_MODEL", "CHAT_BASE_URL", "CHAT_API_KEY"])
def test_the_reserved_chat_settings_are_refused_without_echo(name: str) -> None:
    message = refused(**{name: "sk-very-hidden"})
    assert "PLAINCITE_CHAT_" in message
    assert "very-hidden" not in message


def test_settings_are_frozen() -> None:
    settings = load_settings({})
    with pytest.raises(ValidationError):
        settings.rate_per_minute = 1


def test_settings_refuse_a_field_that_they_do_not_have() -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"rate": 1})


def _shown(field: str) -> str:
    default = Settings.model_fields[field].default
    return "" if field == "data_dir" or default is None else str(default)


def test_readme_s_table_holds_exactly_the_settings() -> None:
    section = README.read_text(encoding="utf-8").split("\n## Settings\n", 1)[1].split("\n## ", 1)[0]
    rows = [ROW.fullmatch(line.rstrip()) for line in section.splitlines() if line.startswith("| `")]
    assert all(rows), "every row reads | `PLAINCITE_X` | default | description |"
    told = [(row["name"], row["default"].strip(), row["description"]) for row in rows if row]
    assert told == [
        (PREFIX + field.upper(), _shown(field), info.description) for field, info in Settings.model_fields.items()
    ]
