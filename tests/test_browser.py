"""The pages in a real Chromium: keyboard, screen reader semantics, no script, narrow, dark, and axe."""

import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, Request, Route, ViewportSize, expect, sync_playwright

from server.app import create_app
from server.engine import Engine
from server.settings import Settings
from server.wording import load_wording

CHROMIUM = os.environ.get("CHROMIUM_PATH", "/usr/bin/chromium")
EXIT = "https://www.weather.gov/"
HELPS = "Does ketamine help with PTSD?"
HARMS = "What side effects did people get?"
DANGER = "I want to end my life tonight"
ABSENT = "I read it wrecks your bladder. True?"
SUICIDE_RESEARCH = "Does ketamine reduce suicidal thoughts?"
PAGES = ["/", "/help", "/sources", "/sources/feder2014", "/about", "/privacy"]
WORDS = load_wording().page
BLANK = "<!doctype html><html lang='en'><title>Weather</title><body>Sunny</body></html>"
TARGETS = "a[href], button, select, textarea, summary"
WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 320, "height": 640}


class _Lent(Engine):
    """The session's engine; a server that ends does not end it."""

    def close(self) -> None:
        """Stays open for the next test."""


@contextmanager
def serving(engine: Engine, settings: Settings) -> Iterator[str]:
    """The app on a free port of loopback, ready to answer."""
    lent = _Lent(engine.corpora, engine.wording, engine.pipelines)
    config = uvicorn.Config(create_app(settings, lambda _: lent), log_config=None, access_log=False, ws="none")
    server = uvicorn.Server(config)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        thread = Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        until = monotonic() + 30
        while not server.started and monotonic() < until:
            sleep(0.02)
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


@pytest.fixture(scope="module")
def address(engine: Engine) -> Iterator[str]:
    with serving(engine, Settings(rate_per_minute=0, exit_url=EXIT)) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@dataclass
class Visits:
    """Opens pages and keeps what they asked of other hosts, and what their console said."""

    browser: Browser
    address: str
    foreign: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    contexts: list[Any] = field(default_factory=list)

    def open(self, path: str = "/", **options: Any) -> Page:
        """A page in a context of its own."""
        given = {"viewport": WIDE, "reduced_motion": "reduce", "locale": "en-US"} | options
        context = self.browser.new_context(**given)
        self.contexts.append(context)
        context.set_default_timeout(10_000)
        context.route(re.compile(f"^{EXIT}"), lambda route: route.fulfill(body=BLANK, content_type="text/html"))
        context.on("request", self._asked)
        page: Page = context.new_page()
        page.on("console", lambda said: self.console.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.console.append(str(error)))
        page.goto(self.address + path)
        return page

    def not_found_is_fine(self) -> None:
        """Forgets that the console names pages that are not there."""
        self.console = [said for said in self.console if "404 (Not Found)" not in said]

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.address, EXIT)):
            self.foreign.append(request.url)


@pytest.fixture
def visits(browser: Browser, address: str) -> Iterator[Visits]:
    opened = Visits(browser, address)
    yield opened
    for context in opened.contexts:
        context.close()
    assert opened.foreign == []
    assert opened.console == []


def ask(page: Page, question: str, country: str | None = None) -> Locator:
    """Types the question and sends it with Enter; the new reply."""
    if country:
        page.select_option("#country", country)
    before = page.locator("article.reply").count()
    page.fill("#question", question)
    page.press("#question", "Enter")
    reply = page.locator("article.reply").nth(before)
    reply.wait_for()
    return reply


def tab_stops(page: Page, count: int) -> list[str]:
    """The first things that Tab reaches, by class or id."""
    stops = []
    for _ in range(count):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
    return stops


def tab_to(page: Page, wanted: str, limit: int = 60) -> None:
    """Tabs on until the element that matches has the focus."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    pytest.fail(f"Tab does not reach {wanted}")


def active(page: Page) -> str:
    """The id of what has the focus."""
    return str(page.evaluate("document.activeElement.id"))


def opened_up(page: Page) -> None:
    """Opens every <details>."""
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; })")


def sideways(page: Page) -> int:
    """Pixels of content beyond the window's width."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


# First on the page, and large enough


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_skip_link_help_exit_and_country_come_first(visits: Visits, size: ViewportSize) -> None:
    page = visits.open(viewport=size)
    for path in PAGES:
        page.goto(visits.address + path)
        assert tab_stops(page, 4) == ["skip", "help-now", "exit", "country"], path
        for name in (".help-now", ".exit"):
            box = page.locator(name).bounding_box()
            assert box is not None
            assert min(box["height"], box["width"]) >= 44
            assert box["y"] < 100


def too_small(page: Page) -> list[str]:
    """Visible targets under 24 by 24 pixels."""
    script = """wanted => [...document.querySelectorAll(wanted)].filter(e => e.checkVisibility() && !e.matches('.skip'))
        .map(e => [e.textContent.trim().slice(0, 40), e.getBoundingClientRect()])
        .filter(([, box]) => box.height < 24 || box.width < 24)
        .map(([name, box]) => `${name} ${box.width}x${box.height}`)"""
    found: list[str] = page.evaluate(script, TARGETS)
    return found


@pytest.mark.parametrize("path", [*PAGES, "/nothing-here"])
def test_a_page_fits_320_pixels_and_has_no_small_target(visits: Visits, path: str) -> None:
    page = visits.open(path, viewport=NARROW)
    opened_up(page)
    assert too_small(page) == []
    assert sideways(page) == 0
    visits.not_found_is_fine()


def test_every_target_of_an_answer_is_at_least_24_pixels(visits: Visits) -> None:
    page = visits.open(viewport=NARROW)
    ask(page, HELPS)
    opened_up(page)
    assert too_small(page) == []


def test_the_bar_never_hides_the_focus(visits: Visits) -> None:
    page = visits.open(viewport=NARROW)
    ask(page, HELPS)
    hidden = """() => { const box = document.activeElement.getBoundingClientRect();
        const below = document.querySelector('.bar').getBoundingClientRect().bottom;
        return !document.activeElement.matches('.bar *, .skip') && box.bottom <= below; }"""
    for key in ["Tab"] * 25 + ["Shift+Tab"] * 40:
        page.keyboard.press(key)
        assert not page.evaluate(hidden), page.evaluate("document.activeElement.outerHTML.slice(0, 200)")


def test_the_skip_link_leads_past_the_navigation(visits: Visits) -> None:
    page = visits.open("/about")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert active(page) == "main"


# Asking


def test_a_question_by_keyboard(visits: Visits) -> None:
    page = visits.open()
    tab_to(page, "#question")
    page.keyboard.type(HELPS)
    page.keyboard.press("Enter")
    log = page.get_by_role("log")
    reply = log.locator("article.reply")
    reply.wait_for()
    assert reply.get_attribute("data-outcome") == "answer"
    expect(log).to_have_attribute("aria-live", "polite")
    expect(log).to_have_attribute("aria-busy", "false")
    expect(log.locator(".speaker")).to_have_text([WORDS["log"]["you"], WORDS["log"]["program"]])
    assert active(page) == "question"
    expect(page.locator("#question")).to_have_value("")
    expect(page.locator(".status")).to_have_text(WORDS["form"]["ready"])


def test_shift_enter_makes_a_line_and_an_empty_question_is_not_sent(visits: Visits) -> None:
    page = visits.open()
    page.press("#question", "Enter")
    expect(page.locator(".status")).to_have_text(WORDS["form"]["empty"])
    page.locator("#question").press_sequentially("a")
    page.press("#question", "Shift+Enter")
    expect(page.locator("#question")).to_have_value("a\n")
    assert page.locator("article").count() == 0


def test_a_citation_opens_its_passage_by_keyboard(visits: Visits) -> None:
    page = visits.open()
    ask(page, HELPS)
    point = page.locator(".group-point li", has=page.locator("mark")).first
    summary = point.locator("details.cite > summary").first
    assert re.search(r"\[\d\] \S+ \d{4}, .*\d+ (people|veterans)", summary.inner_text().replace("\n", " "))
    panel = point.locator(".cite-panel").first
    expect(panel).to_be_hidden()
    summary.focus()
    page.keyboard.press("Enter")
    expect(panel).to_be_visible()
    expect(panel.locator("mark").first).to_be_visible()
    assert panel.locator("mark").first.inner_text() in point.locator(".said").inner_text()
    expect(panel.locator(".whose")).to_have_text(WORDS["citation"]["our_summary"])
    tab_to(page, ".cite-panel a", 1)
    link = page.locator(":focus")
    assert str(link.get_attribute("href")).startswith("https://doi.org/")
    expect(link).to_contain_text(WORDS["citation"]["leaves"])


def test_every_citation_has_a_name_of_its_own_in_its_sentence(visits: Visits) -> None:
    page = visits.open()
    ask(page, HELPS)
    ask(page, HARMS)
    for sentence in page.locator(".group li, .group .one").all():
        names = sentence.locator("details.cite > summary").all_inner_texts()
        assert len(set(names)) == len(names), names


def test_how_it_was_checked_is_closed_and_open_for_clinicians(visits: Visits) -> None:
    page = visits.open()
    plain = ask(page, HELPS)
    assert plain.locator("details.checks").get_attribute("open") is None
    plain.locator("details.checks > summary").press("Enter")
    expect(plain.locator("details.checks")).to_contain_text(WORDS["checks"]["support"])
    page.select_option("#level", "clinician")
    checked = ask(page, HARMS).locator("details.checks")
    assert checked.get_attribute("open") is not None
    assert checked.locator(".checked").count() >= 3
    expect(checked.locator(".verdict-no")).to_have_count(0)
    expect(checked).to_contain_text(str(checked.locator("xpath=..").get_attribute("id")))


def test_both_sides_of_a_conflict_are_shown(visits: Visits) -> None:
    page = visits.open()
    conflict = ask(page, HELPS).locator(".conflict")
    expect(conflict.get_by_role("heading")).to_have_text(WORDS["conflict"]["title"])
    assert conflict.locator(".side").count() == 2
    expect(conflict.locator(".side").first).to_contain_text("Feder 2014")
    expect(conflict.locator(".side").last).to_contain_text("Abdallah 2021")
    for href in conflict.locator(".side-name a").evaluate_all("links => links.map(link => link.getAttribute('href'))"):
        expect(page.locator(f"[id='{href[1:]}']")).to_be_visible()


def test_research_on_suicide_stands_behind_a_choice(visits: Visits) -> None:
    page = visits.open()
    reply = ask(page, SUICIDE_RESEARCH)
    expect(reply.locator(".card")).to_be_visible()
    expect(reply.locator(".group-lead")).to_be_hidden()
    expect(reply.locator(".answer")).to_contain_text(WORDS["choice"]["text"])
    reply.locator("details.choice > summary").press("Enter")
    expect(reply.locator(".group-lead")).to_be_visible()


def test_a_second_question_keeps_the_first(visits: Visits) -> None:
    page = visits.open()
    ask(page, HELPS)
    second = ask(page, "And how long did it last?")
    assert second.get_attribute("data-outcome") in {"answer", "answer_correct_premise", "answer_with_card"}
    expect(page.locator("#log .asked .as-text")).to_have_text([HELPS, "And how long did it last?"])
    assert page.locator("#log article.reply").count() == 2


def test_what_is_typed_is_shown_as_text(visits: Visits) -> None:
    page = visits.open()
    typed = "<img src=x onerror=alert(1)> <b>does it help</b>"
    ask(page, typed)
    expect(page.locator("#log .as-text")).to_have_text(typed)
    assert page.locator("#log .as-text *").count() == 0


def test_the_counter_warns_from_500_characters_and_counts_on(visits: Visits) -> None:
    page = visits.open()
    page.fill("#question", "a" * 499)
    expect(page.locator("#question-count")).to_have_text("")
    page.fill("#question", "a" * 500)
    expect(page.locator("#question-count")).to_contain_text("500")


def test_a_question_that_is_too_long_is_told_so_and_seen_at_once(visits: Visits) -> None:
    page = visits.open(viewport=NARROW)
    reply = ask(page, "ketamine studies " * 260)
    assert reply.get_attribute("data-outcome") == "clarify"
    expect(reply).to_contain_text(load_wording().replies["fixed"]["too_long"])
    expect(reply.locator(".speaker")).to_be_in_viewport()


def test_a_long_dialogue_goes_on(visits: Visits) -> None:
    page = visits.open(java_script_enabled=False)
    filler = [{"role": "user", "content": HELPS}, {"role": "assistant", "content": "Results are mixed. " * 40}] * 40
    history = json.dumps(filler)
    answer = page.request.post(visits.address + "/ask", form={"question": HARMS, "history": history, "country": "US"})
    assert answer.status == 200
    assert 'data-outcome="answer' in answer.text()


def test_danger_at_the_end_of_a_long_paste_is_seen(visits: Visits) -> None:
    page = visits.open()
    reply = ask(page, "I read about the studies. " * 190 + DANGER)
    assert reply.get_attribute("data-outcome") == "crisis_immediate"
    assert sideways(page) == 0


@pytest.mark.parametrize("text", ["w" * 300, "هل يساعد هذا؟ " * 20], ids=["long word", "right to left"])
def test_odd_text_stays_inside_the_page(visits: Visits, text: str) -> None:
    page = visits.open(viewport=NARROW)
    ask(page, text)
    assert sideways(page) == 0
    right_to_left = page.locator("#log .as-text").evaluate("part => getComputedStyle(part).direction") == "rtl"
    assert right_to_left == (not text.isascii())


def test_an_example_is_asked_in_place(visits: Visits) -> None:
    page = visits.open()
    page.get_by_role("button", name="Was it tested in veterans?").press("Enter")
    page.locator("article.reply").wait_for()
    expect(page.locator("#log .as-text")).to_have_text("Was it tested in veterans?")
    expect(page.locator(".examples")).to_have_count(0)


# Danger


def test_a_crisis_shows_its_card_and_moves_the_focus_there(visits: Visits) -> None:
    page = visits.open()
    reply = ask(page, DANGER, "US")
    card = reply.get_by_role("alert")
    expect(card).to_be_visible()
    expect(card.locator(".card-title")).to_be_focused()
    expect(card.locator(".card-title")).to_contain_text("Call 911 now")
    calls = card.locator("a[href^='tel:']").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert calls[:2] == ["tel:911", "tel:988"]
    assert reply.locator(".answer, .sources").count() == 0
    expect(page.locator("#question")).to_be_editable()


def test_the_numbers_follow_the_country(visits: Visits) -> None:
    page = visits.open()
    expect(ask(page, DANGER, "US").get_by_role("alert")).to_contain_text("988")
    british = ask(page, DANGER, "GB").get_by_role("alert")
    expect(british).to_contain_text("999")
    expect(british).to_contain_text("116 123")
    page.locator(".help-now").click()
    expect(page.locator("main .lines").first).to_contain_text("Samaritans")
    expect(page.locator("#country")).to_have_value("GB")


# Without a script


def send(page: Page, question: str) -> Locator:
    """Asks with the form alone; the last reply of the new page."""
    page.fill("#question", question)
    with page.expect_navigation():
        page.click(".send")
    return page.locator("article.reply").last


def test_everything_works_without_a_script(visits: Visits) -> None:
    page = visits.open(java_script_enabled=False)
    expect(page.locator(".keys")).to_be_hidden()
    expect(page.locator(".theme")).to_be_hidden()
    first = send(page, HELPS)
    assert first.get_attribute("data-outcome") == "answer"
    first.locator("details.cite > summary").first.click()
    expect(first.locator(".cite-panel").first).to_be_visible()
    send(page, "And how long did it last?")
    expect(page.locator("#log .asked .as-text")).to_have_text([HELPS, "And how long did it last?"])
    expect(page.locator(".reply-earlier")).to_contain_text("Feder 2014")
    page.select_option("#country", "AU")
    last = send(page, DANGER)
    expect(last.get_by_role("alert")).to_contain_text("000")
    expect(page.locator("#country")).to_have_value("AU")
    assert page.locator(".asked").count() == 3


def test_the_country_without_a_script(visits: Visits) -> None:
    page = visits.open("/about", java_script_enabled=False)
    page.select_option("#country", "IE")
    page.get_by_role("button", name=WORDS["bar"]["country_show"]).click()
    expect(page.locator("main .card")).to_contain_text("112")
    expect(page.locator("#country")).to_have_value("IE")


# Every page


@pytest.mark.parametrize("path", [*PAGES, "/ask", "/nothing-here"])
def test_every_page_says_what_it_is_and_offers_help_and_exit(visits: Visits, path: str) -> None:
    page = visits.open("/")
    if path == "/ask":
        page = visits.open(java_script_enabled=False)
        send(page, HELPS)
    else:
        page.goto(visits.address + path)
    text = page.locator("body").inner_text()
    assert "not medical advice" in text
    assert "computer program" in text
    assert str(page.locator(".help-now").get_attribute("href")).startswith("/help")
    assert page.locator(".exit").get_attribute("href") == EXIT
    assert page.get_by_role("link", name="Emergency: Exit this page").count() == 1
    assert page.locator("select#country").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("h1").count() == 1
    assert page.locator("a[href^='/help']").count() >= 2
    visits.not_found_is_fine()


def test_the_headers_of_a_page(visits: Visits) -> None:
    page = visits.open()
    for path in [*PAGES, "/nothing-here", "/static/site.css"]:
        headers = page.request.get(visits.address + path).headers
        assert headers["content-security-policy"].startswith("default-src 'self'; object-src 'none'")
        assert "set-cookie" not in headers
    assert page.context.cookies() == []


def test_the_quick_exit_leaves_nothing_behind(visits: Visits) -> None:
    page = visits.open()
    ask(page, HELPS)
    page.locator(".exit").press("Enter")
    page.wait_for_url(EXIT)
    page.go_back()
    assert HELPS not in page.content()


def test_escape_three_times_exits(visits: Visits) -> None:
    page = visits.open("/sources")
    for _ in range(3):
        page.keyboard.press("Escape")
    page.wait_for_url(EXIT)


def test_the_quick_exit_without_a_script(visits: Visits) -> None:
    page = visits.open("/privacy", java_script_enabled=False)
    page.locator(".exit").click()
    page.wait_for_url(EXIT)


# When something breaks


def test_a_failing_send_is_calm_and_keeps_the_text(visits: Visits) -> None:
    page = visits.open()
    page.route("**/ask", lambda route: route.abort())
    ask(page, HELPS, "GB")
    reply = page.locator("article.reply")
    expect(reply).to_contain_text(WORDS["error"]["send_title"])
    expect(reply.locator("a[href='/help?country=GB']")).to_be_visible()
    expect(page.locator("#question")).to_have_value(HELPS)
    page.unroute("**/ask")
    assert ask(page, HELPS).get_attribute("data-outcome") == "answer"
    visits.console = [said for said in visits.console if "ERR_FAILED" not in said]


def test_waiting_is_said_and_a_second_send_waits(visits: Visits) -> None:
    page = visits.open()
    held: list[Route] = []
    page.route("**/ask", lambda route: held.append(route))
    page.fill("#question", HELPS)
    page.press("#question", "Enter")
    expect(page.locator(".status")).to_have_text(WORDS["form"]["writing"])
    expect(page.locator("#log")).to_have_attribute("aria-busy", "true")
    page.fill("#question", HARMS)
    page.press("#question", "Enter")
    expect(page.locator("#question")).to_have_value(HARMS)
    assert page.locator(".asked").count() == 1
    assert len(held) == 1
    held[0].continue_()
    page.locator("article.reply").wait_for()
    expect(page.locator("#question")).to_have_value(HARMS)


def test_too_many_questions_get_help_lines(browser: Browser, engine: Engine) -> None:
    with serving(engine, Settings(rate_per_minute=1, exit_url=EXIT)) as limited:
        visits = Visits(browser, limited)
        page = visits.open(java_script_enabled=False)
        send(page, HELPS)
        page.fill("#question", HARMS)
        with page.expect_navigation() as went:
            page.click(".send")
        assert went.value.status == 429
        expect(page.locator("h1")).to_have_text(WORDS["errors"]["429"]["title"])
        assert page.locator("main .lines li").count() >= 1
        assert page.locator(".help-now").count() == 1
        scripted = visits.open()
        reply = ask(scripted, HARMS)
        expect(reply).to_contain_text(WORDS["errors"]["429"]["title"])
        expect(scripted.locator("#question")).to_have_value(HARMS)
        expect(ask(scripted, DANGER).get_by_role("alert")).to_be_visible()
        for context in visits.contexts:
            context.close()


# Looks


@pytest.mark.parametrize("question", [HELPS, DANGER, ABSENT])
def test_a_reply_fits_320_pixels_and_larger_text(visits: Visits, question: str) -> None:
    page = visits.open(viewport=NARROW)
    ask(page, question)
    opened_up(page)
    assert sideways(page) == 0
    page.set_viewport_size(WIDE)
    page.evaluate("document.documentElement.style.setProperty('font-size', '212%')")
    assert sideways(page) == 0


def paper(page: Page) -> str:
    """The colour behind the page."""
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_dark_follows_the_system_and_can_be_switched(visits: Visits) -> None:
    page = visits.open(color_scheme="dark")
    dark = paper(page)
    page.locator(".theme").press("Enter")
    light = paper(page)
    assert light != dark
    page.goto(visits.address + "/about")
    assert paper(page) == light
    assert paper(visits.open(color_scheme="light")) == light


def test_nothing_moves_where_less_motion_is_wanted(visits: Visits) -> None:
    page = visits.open(reduced_motion="reduce")
    ask(page, HELPS)
    page.evaluate("document.querySelector('#ask').classList.add('busy')")
    assert page.evaluate("document.getAnimations().length") == 0
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_print_shows_answer_addresses_and_help_lines_alone(visits: Visits) -> None:
    page = visits.open()
    ask(page, HELPS, "GB")
    page.locator(".group-lead details.cite > summary").first.click()
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    for gone in (".bar", "#ask", "nav", ".actions"):
        expect(page.locator(gone)).to_be_hidden()
    expect(page.locator(".group-lead")).to_be_visible()
    expect(page.locator("footer")).to_contain_text("Samaritans")
    expect(page.locator(".cite-panel").first).to_be_visible()
    expect(page.locator(".cite-panel").nth(1)).to_be_hidden()
    assert re.search(r"\d{4}", page.locator("footer .printed").inner_text())
    after = page.locator(".source-links a").first.evaluate("link => getComputedStyle(link, '::after').content")
    assert "https://doi.org/" in after


# axe


def answered(page: Page) -> None:
    ask(page, HELPS, "US")


def in_danger(page: Page) -> None:
    ask(page, DANGER, "US")


def declined(page: Page) -> None:
    ask(page, ABSENT)


def failed(page: Page) -> None:
    page.route("**/ask", lambda route: route.abort())
    ask(page, HELPS)


def as_it_is(page: Page) -> None:
    """Nothing is done on the page first."""


@pytest.mark.parametrize(
    ("path", "do"),
    [("/", answered), ("/", in_danger), ("/", declined), ("/", failed)]
    + [(path, as_it_is) for path in [*PAGES, "/sources/review", "/nothing-here"]],
)
def test_axe_finds_nothing(visits: Visits, path: str, do: Callable[[Page], None]) -> None:
    page = visits.open(path)
    do(page)
    opened_up(page)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.emulate_media(color_scheme="dark")
    dark = Axe().run(page, options={"runOnly": ["color-contrast"]})  # nothing but colours differs
    assert dark.violations_count == 0, dark.generate_report()
    visits.console = [said for said in visits.console if "ERR_FAILED" not in said]
    visits.not_found_is_fine()
