"""The HTML page of a study in a browser that is installed on the system."""

import os
import re
import shutil

import pytest

BROWSERS = ("chromium", "google-chrome", "chromium-browser", "chrome")
SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the extra test")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser is installed: none of {', '.join(BROWSERS)}")
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=path, args=["--no-sandbox"] if is_root else [])
        yield found
        found.close()


@pytest.fixture
def opened(browser, odd_page):
    """Browser page; the test fails if the page requests another file or writes to the console."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page.set_default_timeout(20_000)
    noise, requests = [], []
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("dialog", lambda dialog: (noise.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(odd_page.as_uri())
    yield page
    page.close()
    assert noise == []
    assert requests == [odd_page.as_uri()]


@pytest.mark.slow
def test_axe_finds_no_serious_accessibility_violation(opened):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs the extra test").Axe()
    for details in opened.query_selector_all("details"):
        details.evaluate("part => { part.open = true; }")
    for width in (1280, 360):
        opened.set_viewport_size({"width": width, "height": 900})
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
        for scheme in ("light", "dark"):
            opened.emulate_media(color_scheme=scheme)
            violations = axe.run(opened).response["violations"]
            serious = [found for found in violations if found["impact"] in SERIOUS]
            assert [(found["id"], [node["html"] for node in found["nodes"]]) for found in serious] == []


@pytest.mark.slow
def test_the_keyboard_sorts_filters_and_chooses(opened):
    keyboard = opened.keyboard
    header = opened.locator("#results-table th", has_text="accuracy (%)")
    rows = opened.locator("#results-table tbody tr:visible")

    def accuracies():
        return [float(row.split("\t")[3]) for row in rows.all_inner_texts()]

    header.locator("button").focus()
    keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "descending"
    assert accuracies() == sorted(accuracies(), reverse=True)
    keyboard.press("Space")
    assert header.get_attribute("aria-sort") == "ascending"
    assert accuracies() == sorted(accuracies())
    assert opened.locator("#results-table [aria-sort=none]").count() > 5

    n = rows.count()
    opened.locator("#only-data-set").focus()
    keyboard.press("ArrowDown")
    assert rows.count() == n // 2

    select = opened.locator("#confusion-choice")
    matrix = opened.locator("#confusion table")
    before = matrix.inner_text()
    select.focus()
    keyboard.press("ArrowDown")
    caption = matrix.locator("caption").inner_text()
    assert caption.startswith(select.locator("option:checked").inner_text().partition(" (")[0])
    assert matrix.inner_text() != before
    keyboard.press("ArrowUp")
    assert matrix.inner_text() == before  # page.js builds the same table as the page contains

    shown = opened.locator("#recall caption:visible")
    first = shown.inner_text()
    opened.locator("#recall-choice").focus()
    keyboard.press("ArrowDown")
    assert shown.inner_text() != first


@pytest.mark.slow
def test_charts_and_colours_by_keyboard(opened):
    marks = opened.locator("svg.chart").first.locator(".mark")
    marks.first.focus()
    opened.keyboard.press("ArrowDown")
    focused = opened.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused == marks.nth(1).get_attribute("aria-label") == opened.locator(".tip:visible").inner_text()
    page_colour = "getComputedStyle(document.body).backgroundColor"
    light = opened.evaluate(page_colour)
    opened.locator("#scheme").focus()
    opened.keyboard.press("Enter")
    assert opened.evaluate(page_colour) != light
    assert opened.locator("#scheme").get_attribute("aria-pressed") == "true"


@pytest.mark.slow
def test_without_javascript_all_tables_are_shown(browser, odd_page):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(odd_page.as_uri())
    text = page.content()
    assert page.locator("#recall table").count() == len(re.findall("data-choice=", text)) == 2
    assert page.locator("#recall table:visible").count() == 2
    assert page.locator("#confusion table:visible").count() == 1
    assert page.locator("select:visible, #scheme:visible").count() == 0
