"""Settings: environment variables with the prefix PLAINCITE_, typed, frozen; an unsafe start is refused."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "PLAINCITE_"


class SettingsError(ValueError):
    """A setting that stops the start: one clear line that names it."""


class Settings(BaseSettings):
    """Everything that can be set; each field's description is its line in README."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    data_dir: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("plaincite")),
        description="Folder for the index and anything else that is written; outside the checkout's tracked files.",
    )
    env: Literal["local", "production"] = Field(
        default="local", description="`production` refuses to start while any card or claim is unsigned."
    )
    accept_unsigned: Literal["yes", "no"] = Field(
        default="no",
        description="`yes` lets `production` start with unsigned cards and claims; the notice still shows.",
    )
    off: Literal["yes", "no"] = Field(
        default="no", description="`yes` switches answers off and leaves the help page and crisis cards up."
    )
    rate_per_minute: int = Field(
        default=30,
        ge=0,
        le=100_000,
        description="Questions that one client may ask a minute; 0 turns the limit off.",
    )
    chroma_url: str | None = Field(
        default=None, description="A Chroma server, `http://host:port`, instead of the embedded store."
    )
    topic: str = Field(
        default="ketamine-ptsd", description="Folder under `corpus/` that answers when a request names none."
    )
    stage_timeout_s: float = Field(
        default=5.0,
        gt=0,
        le=60,
        description="Seconds that one stage of an answer may take before the calm error card.",
    )
    max_running: int = Field(default=4, ge=1, le=64, description="Answers worked on at the same time in one process.")
    max_waiting: int = Field(
        default=64,
        ge=0,
        le=10_000,
        description="Requests that may wait for a turn; beyond that 503 with help lines.",
    )
    exit_url: str = Field(
        default="https://www.weather.gov/",
        description="Where the quick exit leads: a neutral page on another site.",
    )
    report_to: str | None = Field(
        default=None,
        description="Mail address for problem reports, shown on every page; without one the page says so.",
    )
    chat_model: str | None = Field(
        default=None, description="Reserved for a chat model; not built yet, so it must be unset."
    )
    chat_base_url: str | None = Field(default=None, description="Reserved for a chat model's address; must be unset.")
    chat_api_key: SecretStr | None = Field(default=None, description="Reserved for a chat model's key; must be unset.")

    @field_validator("chroma_url", "exit_url")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value

    @model_validator(mode="after")
    def _nothing_reserved(self) -> Self:
        if self.chat_model or self.chat_base_url or self.chat_api_key:
            raise ValueError("composing with a chat model is not built yet; unset the PLAINCITE_CHAT_ variables")
        return self


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment. Raises SettingsError, one line, for an unknown or unsafe value."""
    environ = os.environ if environ is None else environ
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise SettingsError(f"{unknown[0]} is not a setting; see the settings table in README.md")
    given = {
        name: environ[PREFIX + name.upper()] for name in Settings.model_fields if environ.get(PREFIX + name.upper())
    }
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + "_".join(map(str, first["loc"])).upper() if first["loc"] else "settings"
        raise SettingsError(f"{name}: {first['msg']}") from None
