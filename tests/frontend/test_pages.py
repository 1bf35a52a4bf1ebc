"""Every code has a page, and every page's examples do what they are there for."""

import re
from pathlib import Path

import pytest

import nablax.frontend
from nablax.frontend.diagnostics import Report
from nablax.frontend.explain import codes, page, read_page
from nablax.frontend.fixes import apply_edits
from nablax.frontend.limits import TEXT_CHARACTERS
from nablax.frontend.parser import parse, read_source

SYNTAX = [code for code in codes() if code.startswith("P0")]


def found(text: str) -> set[str]:
    source = read_source("page", text)
    report = Report(source)
    parse(source, report)
    return {diagnostic.code for diagnostic in report.diagnostics}


@pytest.mark.parametrize("code", codes())
def test_page_is_complete(code: str) -> None:
    parts = read_page(code)
    assert parts is not None
    assert parts.code == code
    assert parts.text


@pytest.mark.parametrize("code", SYNTAX)
def test_examples(code: str) -> None:
    parts = read_page(code)
    assert parts is not None
    bad = parts.bad + "#" * TEXT_CHARACTERS if code == "P019" else parts.bad
    assert found(bad) == {code}
    assert found(parts.good) == set()


@pytest.mark.parametrize("code", SYNTAX)
def test_edits_of_the_bad_example_mend_it(code: str) -> None:
    parts = read_page(code)
    assert parts is not None
    source = read_source("page", parts.bad)
    report = Report(source)
    parse(source, report)
    if any(diagnostic.edits for diagnostic in report.diagnostics):
        assert found(apply_edits(source, report.diagnostics)) == set()


def test_every_code_of_the_parser_has_a_page() -> None:
    folder = Path(nablax.frontend.__path__[0])
    used = {
        code for file in folder.rglob("*.py") for code in re.findall(r'"(P0\d\d)"', file.read_text("utf-8"))
    }
    assert used == set(SYNTAX)


def test_a_page_is_found_by_its_code_only() -> None:
    assert page("P001") is not None
    assert page("p001") == page("P001")
    assert page("P999") is None
    assert page("../syntax") is None
