"""The five pictures of the pages under web/screenshots/, taken from the real server."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evals.server_process import HOST, ROOT, ServerError, free_port, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FloatRect, Locator, Page

OUT = ROOT / "web" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
WIDTH, NARROW, TALLEST = 1100, 320, 1400
HELPS = "Does ketamine help with PTSD?"
DANGER = "I want to end my life tonight"
ABSENT = "I read it wrecks your bladder. True?"


def _asked(page: "Page", question: str) -> "Locator":
    page.select_option("#country", "US")
    page.fill("#question", question)
    page.press("#question", "Enter")
    reply = page.locator("article.reply").last
    reply.wait_for()
    return reply


def _start(page: "Page") -> None:
    """The start page as it stands."""


def _answer(page: "Page") -> None:
    """An answer with the first passage open that has a marked number."""
    cited = _asked(page, HELPS).locator("details.cite", has=page.locator("mark")).first
    cited.locator("summary").click()


def _crisis(page: "Page") -> None:
    _asked(page, DANGER)


def _abstention(page: "Page") -> None:
    _asked(page, ABSENT)


@dataclass(frozen=True, slots=True)
class Picture:
    """A file, what happens on the start page before it is taken, the window's width, and where the picture begins."""

    name: str
    do: Callable[["Page"], None]
    width: int = WIDTH
    begins: str = "body"


PICTURES = (
    Picture("start.png", _start),
    Picture("answer.png", _answer, begins=".asked"),
    Picture("crisis.png", _crisis),
    Picture("abstention.png", _abstention),
    Picture("narrow.png", _answer, NARROW),
)


@contextmanager
def _chromium() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM_PATH", CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def _take(browser: "Browser", address: str, picture: Picture, out: Path) -> Path:
    context = browser.new_context(
        viewport={"width": picture.width, "height": 900}, color_scheme="light", reduced_motion="reduce", locale="en-US"
    )
    try:
        page = context.new_page()
        page.goto(address)
        picture.do(page)
        # From the top of the page, with no cursor that blinks.
        page.evaluate("document.activeElement.matches('textarea') && document.activeElement.blur()")
        page.evaluate("window.scrollTo(0, 0)")
        top = max(0, int(page.locator(picture.begins).first.evaluate("part => part.getBoundingClientRect().top")) - 20)
        height = min(TALLEST, int(page.evaluate("document.documentElement.scrollHeight")) - top)
        path = out / picture.name
        clip: FloatRect = {"x": 0, "y": top, "width": picture.width, "height": height}
        page.screenshot(path=path, full_page=True, clip=clip, animations="disabled")
        return path
    finally:
        context.close()


def main(out: Path = OUT) -> list[Path]:
    """Starts the server, takes every picture into `out`, ends the server. Raises ServerError."""
    out.mkdir(parents=True, exist_ok=True)
    port = free_port()
    with running(port), _chromium() as browser:
        return [_take(browser, f"http://{HOST}:{port}/", picture, out) for picture in PICTURES]


def command(out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = OUT) -> None:
    """Take the five pictures of the pages."""
    try:
        taken = main(out)
    except ServerError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    for path in taken:
        typer.echo(f"{path} ({path.stat().st_size / 1000:.0f} kB)")
