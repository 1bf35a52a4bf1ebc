"""Whatever the text, only diagnostics come out."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nablax.frontend.diagnostics import Report, Severity
from nablax.frontend.fixes import apply_edits
from nablax.frontend.parser import parse, read_source
from nablax.frontend.render import render_all, to_json
from nablax.frontend.source import Span
from nablax.frontend.walk import children, walk

from .spec_texts import EXAMPLES, PIECES, mutations, soups


def examine(text: str) -> None:
    source = read_source("fuzz.pde", text)
    report = Report(source)
    module = parse(source, report)
    whole = Span(0, len(source.text))
    for diagnostic in report.diagnostics:
        assert whole.contains(diagnostic.span)
        assert diagnostic.span.start <= diagnostic.span.end
        assert diagnostic.help
        assert diagnostic.message
        assert not diagnostic.message.endswith(".")
        assert all(whole.contains(note.span) for note in diagnostic.notes if note.span is not None)
        assert all(whole.contains(edit.span) for edit in diagnostic.edits)
    assert module is not None or report.failed
    if module is not None:
        for node in walk(module):
            for inner in children(node):
                assert node.span.contains(inner.span)
    rendered = render_all(source, report.diagnostics, color=True)
    assert "\t" not in rendered
    rendered.encode("utf-8")
    json.dumps(to_json(source, report.diagnostics)).encode("utf-8")
    apply_edits(source, report.diagnostics)


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=100)
def test_any_text(text: str) -> None:
    examine(text)


@given(soups)
@settings(deadline=None, max_examples=200)
def test_soup_of_tokens(text: str) -> None:
    examine(text)


@given(soups)
@settings(deadline=None, max_examples=200)
def test_soup_inside_of_a_block(text: str) -> None:
    examine(f"space {{ x in [0, 1] }}\nfields {{ u }}\nequations {{ {text}\n dt(u) = 0 }}")


@given(mutations())
@settings(deadline=None, max_examples=200)
def test_mutated_examples(text: str) -> None:
    examine(text)


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_are_sound(text: str) -> None:
    examine(text)
    source = read_source("example.pde", text)
    report = Report(source)
    parse(source, report)
    assert not report.diagnostics


@pytest.mark.parametrize("piece", PIECES)
def test_every_prefix_of_a_run_of_one_piece(piece: str) -> None:
    examine(piece * 40)
    examine(f"equations {{ u = {piece * 40}")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 150_000,
        "equations { u = " + "(" * 10_000 + "\n}",
        "equations { u = " + "-" * 10_000 + "u }",
        "equations { u = " + "u+" * 10_000 + "u }",
        "equations { u = " + "2^" * 10_000 + "u }",
        "equations { u = " + "f(" * 60 + "u" + ")" * 60 + " }",
        "equations { u = " + "∂t " * 300 + "u }",
        "equations { u = " + "|" * 3_000 + " }",
        "equations {" + "u=(\n" * 4_000,
        "{" * 5_000,
        "a{" * 5_000,
        "@ a " * 20_000,
        '"' * 20_000,
        "1" * 150_000,
        "1e" + "9" * 100_000,
        "δ" * 20_000 + "/",
        "∂" + "²" * 20_000,
        "x" * 300_000,
        "\ud800",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_large_and_strange_texts(text: str) -> None:
    source = read_source("large.pde", text)
    report = Report(source)
    parse(source, report)
    assert report.failed
    assert all(d.help for d in report.diagnostics if d.severity is Severity.ERROR)
    render_all(source, report.diagnostics).encode("utf-8")
