import os
import re
import shutil

import pytest

OVERLAPS = """() => [...document.querySelectorAll('svg.chart')].flatMap(chart => {
  const texts = [...chart.querySelectorAll('text')].map(text => [text.textContent, text.getBoundingClientRect()]);
  return texts.flatMap(([name, a], index) => texts.slice(0, index).filter(([, b]) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2
  ).map(([other]) => `${name} covers ${other}`));
})"""


def test_the_page_is_one_file_that_escapes_what_it_shows(written):
    page = (written[0] / "report.html").read_text("utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page
    assert page.count("<script") == 1
    assert not re.search(r'(src|href)="(?!#|data:)', page)
    assert "untrained rank study" in page
    assert "Written by <code>untrained rank</code>" in page


def test_the_page_begins_with_the_verdict_and_its_size(written, whole):
    page = (written[0] / "report.html").read_text("utf-8")
    assert f"2 tasks, 24 architectures and 3 reported apart, 486 of 486 results; protocol {whole.digest}" in page
    assert page.index(f'<p class="headline">{written[1][0]}'.replace("'", "&#x27;")) < page.index("Correlations</h2>")
    links = re.findall(r'<li><a href="#([\w-]+)">', page)
    assert links[0] == "answer"
    assert all(f'<section id="{name}"' in page for name in links)


@pytest.mark.slow
def test_nothing_overlaps_or_scrolls_horizontally_on_any_screen(written):
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the extra test")
    path = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser", "chrome"))), None)
    if path is None:
        pytest.skip("no browser is installed")
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"] if is_root else [])
        page = browser.new_page()
        noise = []
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.goto((written[0] / "report.html").as_uri())
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(OVERLAPS) == []
        browser.close()
    assert noise == []
