"""Messages as text and as data."""

from nablax.frontend.diagnostics import Edit, Note, Report
from nablax.frontend.fixes import apply_edits
from nablax.frontend.parser import read_source
from nablax.frontend.render import render, render_all, to_json
from nablax.frontend.source import Source, Span


def spans(source: Source, *texts: str) -> list[Span]:
    starts = [source.text.index(text) for text in texts]
    return [Span(start, start + len(text)) for start, text in zip(starts, texts, strict=True)]


def test_the_style() -> None:
    lines = ["#"] * 11 + ["  x = 0: u = 0"]
    source = read_source("wave.pde", "\n".join(lines))
    report = Report(source)
    report.error(
        "P301", spans(source, "x = 0")[0], "`u` needs 2 boundary conditions along x, and has 1",
        label="only this side is given", notes=[Note("the highest derivative along x is dxx(u), line 8")],
        help="add a line for `x = 1`, or make the axis periodic",
    )  # fmt: skip
    assert render(source, report.diagnostics[0]) == (
        "error[P301]: `u` needs 2 boundary conditions along x, and has 1\n"
        "  --> wave.pde:12:3\n"
        "12 |   x = 0: u = 0\n"
        "   |   ^^^^^ only this side is given\n"
        "   = note: the highest derivative along x is dxx(u), line 8\n"
        "   = help: add a line for `x = 1`, or make the axis periodic"
    )


def test_notes_at_places_of_their_own() -> None:
    source = read_source("a.pde", "one\ntwo\nthree\nfour")
    report = Report(source)
    first, second, third = spans(source, "one", "two", "four")
    report.warning("P000", third, "a fact", notes=[Note("here", first), Note("there", second)], help="do")
    assert render(source, report.diagnostics[0]) == (
        "warning[P000]: a fact\n --> a.pde:4:1\n1 | one\n  | --- here\n2 | two\n  | --- there\n...\n"
        "4 | four\n  | ^^^^\n  = help: do"
    )


def test_several_lines_tabs_and_wide_characters() -> None:
    source = read_source("a.pde", "\tu = (漢字 +\n\t  middle +\n\t  e\u0308 + end)")
    report = Report(source)
    report.error("P000", spans(source, "(漢字 +\n\t  middle +\n\t  ë + end)")[0], "a fact", label="x")
    report.error("P000", spans(source, "字")[0], "a fact")
    assert render(source, report.diagnostics[0]) == (
        "error[P000]: a fact\n --> a.pde:1:6\n1 |     u = (漢字 +\n  |         ^^^^^^^\n...\n"
        "3 |       ë + end)\n  |       ^^^^^^^^ x"
    )
    assert render(source, report.diagnostics[1]).splitlines()[-1] == "  |            ^^"


def test_long_lines_are_cut_around_the_span() -> None:
    source = read_source("a.pde", "a" * 500 + "X" + "b" * 500)
    report = Report(source)
    report.error("P000", spans(source, "X")[0], "a fact")
    _, _, line, marks = render(source, report.diagnostics[0]).splitlines()
    assert len(line) < 140
    assert line[marks.index("^")] == "X"


def test_no_control_character_reaches_the_terminal() -> None:
    source = Source("evil\x1b[2J.pde", "u = \x1b[31m\u202e 3\x00 \ud800")
    report = Report(source)
    report.error("P000", Span(4, 5), "the \x1b character", help="remove \x1b")
    text = render(source, report.diagnostics[0])
    assert not any(character in text for character in "\x1b\x00\u202e\ud800")
    assert "\x1b[1;31m" in render(source, report.diagnostics[0], color=True)


def test_twenty_errors_in_the_order_of_the_text() -> None:
    source = read_source("a.pde", "x" * 30)
    report = Report(source)
    for at in reversed(range(23)):
        report.error("P000", Span(at, at + 1), f"fact {at}")
    text = render_all(source, report.diagnostics)
    assert text.index("fact 3") < text.index("fact 4")
    assert "fact 19" in text
    assert "fact 20" not in text
    assert text.endswith("\n\n... and 3 more errors")


def test_data() -> None:
    source = read_source("a.pde", "u\nv == 2")
    report = Report(source)
    span = spans(source, "==")[0]
    report.error(
        "P006", span, "a fact", help="do", notes=[Note("n", span), Note("m")], edits=[Edit(span, "=")]
    )
    data = to_json(source, report.diagnostics)
    place = {"start": 4, "end": 6, "line": 2, "column": 3, "end_line": 2, "end_column": 5}
    assert data == {
        "schema": 1,
        "source": "a.pde",
        "diagnostics": [
            {
                "code": "P006",
                "severity": "error",
                "message": "a fact",
                "label": "",
                "help": "do",
                **place,
                "notes": [{"text": "n", **place}, {"text": "m"}],
                "edits": [{**place, "replacement": "="}],
            }
        ],
    }


def test_edits_of_a_diagnostic_are_applied_together_or_not_at_all() -> None:
    source = read_source("a.pde", "abcdef")
    report = Report(source)
    report.error("P001", Span(0, 3), "first", edits=[Edit(Span(1, 2), "B"), Edit(Span(4, 4), "+")])
    report.error("P002", Span(1, 3), "second", edits=[Edit(Span(1, 3), "X"), Edit(Span(5, 6), "Y")])
    report.error("P003", Span(5, 6), "third", edits=[Edit(Span(5, 6), "")])
    assert apply_edits(source, report.diagnostics) == "aBcd+e"
