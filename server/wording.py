"""The fixed words that a person reads: cards, replies, pages, languages and help lines, by country."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.corpus.load import read_yaml
from server.paths import CORPUS, WEB

GENERAL = "ZZ"
_ALIASES = {"UK": "GB"}


@dataclass(frozen=True)
class Wording:
    """web/wording/*.yaml and corpus/help_lines.yaml as mappings."""

    cards: Mapping[str, Mapping[str, Any]]
    replies: Mapping[str, Mapping[str, str]]
    languages: Mapping[str, Mapping[str, Any]]
    page: Mapping[str, Any]
    countries: Mapping[str, Mapping[str, Any]]

    def country(self, code: str | None) -> str:
        """The code whose help lines are shown: its own, or the general one (`UK` counts as `GB`)."""
        upper = (code or "").upper()
        upper = _ALIASES.get(upper, upper)
        return upper if upper in self.countries else GENERAL

    def emergency(self, code: str | None) -> str:
        """The emergency number of a country, or words for it."""
        return str(self.countries[self.country(code)]["emergency"])

    def lines(self, code: str | None, kinds: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        """The country's help lines, in the order of `kinds` (all, in file order, when empty)."""
        country = self.countries[self.country(code)]
        numbered = any(sign.isdigit() for sign in str(country["emergency"]))
        emergency = _emergency_line(country, self.replies["names"]["emergency_line"]) if numbered else None
        listed = [_line(raw) for raw in country["lines"]]
        if not kinds:
            return [*([emergency] if emergency else []), *listed]
        found = []
        for kind in kinds:
            found += [emergency] if kind == "emergency" and emergency else []
            found += [line for line in listed if line["kind"] == kind]
        return found or [*([emergency] if emergency else []), *listed]

    def crisis(self, code: str | None) -> str:
        """A phrase such as "call or text 988", from the country's first crisis line."""
        lines = [raw for raw in self.countries[self.country(code)]["lines"] if raw["kind"] == "crisis"]
        return _crisis_phrase(lines[0])

    def number(self, code: str | None) -> str:
        """The country's first crisis number, or findahelpline.com where there is none."""
        first = next(raw for raw in self.countries[self.country(code)]["lines"] if raw["kind"] == "crisis")
        return str(first["call"] or first["text"] or _host(first["url"]))

    def fill(self, text: str, code: str | None, **names: str) -> str:
        """The text with {emergency}, {crisis}, {Crisis} and the given names filled in."""
        crisis = self.crisis(code)
        values = {
            "emergency": self.emergency(code),
            "crisis": crisis,
            "Crisis": crisis[0].upper() + crisis[1:],
            **names,
        }
        for name, value in values.items():
            text = text.replace("{" + name + "}", value)
        return text


def _host(url: str) -> str:
    return url.split("//")[-1].strip("/")


def _crisis_phrase(line: Mapping[str, Any]) -> str:
    call, text = line["call"], line["text"]
    if call and call == text:
        return f"call or text {call}"
    if call:
        return f"call {line['name']} on {call}"
    return f"text {text}" if text else f"visit {_host(line['url'])}"


def _digits(number: str) -> str:
    return "".join(sign for sign in number if sign.isdigit() or sign == "+")


def _line(raw: Mapping[str, Any]) -> dict[str, Any]:
    call, text = raw["call"], raw["text"]
    return {
        "kind": raw["kind"],
        "name": raw["name"],
        "call": call,
        "text": text,
        "url": raw["url"],
        "note": raw.get("note"),
        "verified_on": raw["verified_on"],
        "tel": f"tel:{_digits(call)}" if call else None,
        "sms": f"sms:{_digits(text)}" if text else None,
    }


def _emergency_line(country: Mapping[str, Any], name: str) -> dict[str, Any]:
    number = str(country["emergency"])
    raw = {
        "kind": "emergency",
        "name": name,
        "call": number,
        "text": None,
        "url": None,
        "verified_on": country["emergency_verified_on"],
    }
    return _line(raw) | {"tel": f"tel:{_digits(number.split()[0])}"}


def load_wording(web: Path = WEB, corpus: Path = CORPUS) -> Wording:
    """Read every wording file. Raises CorpusError that names the file."""
    folder = web / "wording"
    return Wording(
        cards=read_yaml(folder / "cards.yaml")["cards"],
        replies=read_yaml(folder / "replies.yaml"),
        languages=read_yaml(folder / "languages.yaml")["languages"],
        page=read_yaml(folder / "page.yaml"),
        countries=read_yaml(corpus / "help_lines.yaml")["countries"],
    )
