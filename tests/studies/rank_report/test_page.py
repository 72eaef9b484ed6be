import re


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
    assert f"2 tasks, 27 architectures, 486 of 486 results; protocol {whole.digest}" in page
    assert page.index(f'<p class="headline">{written[1][0]}'.replace("'", "&#x27;")) < page.index("Correlations</h2>")
    links = re.findall(r'<li><a href="#([\w-]+)">', page)
    assert links[0] == "answer"
    assert all(f'<section id="{name}"' in page for name in links)
