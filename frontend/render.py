"""Diagnostics as text for a terminal and as plain data for an editor."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from unicodedata import category, east_asian_width

from nablax.frontend.diagnostics import MAXIMUM, Diagnostic, Note, Severity
from nablax.frontend.source import Source, Span

_TAB = 4
_WIDEST = 120  # columns of a source line; a longer one is cut around the span
_RESET = "\x1b[0m"
_BOLD, _RED, _YELLOW, _BLUE, _CYAN = "\x1b[1m", "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[1;36m"


@dataclass(frozen=True, slots=True)
class _Mark:
    """A stretch of one line, underlined."""

    line: int
    start: int  # columns counted from 0, in characters
    end: int
    sign: str
    label: str


def render(source: Source, diagnostic: Diagnostic, color: bool = False) -> str:
    """One message with the lines it speaks of; ends without a line break."""
    paint = _painter(color)
    accent = _RED if diagnostic.severity is Severity.ERROR else _YELLOW
    line, column = source.position(diagnostic.span.start)
    marks = _marks(source, diagnostic.span, "^", diagnostic.label)
    for note in diagnostic.notes:
        if note.span is not None:
            marks.extend(_marks(source, note.span, "-", note.text))
    marks.sort(key=lambda mark: mark.line)  # stable: the main span stays first on its line
    gutter = len(str(max(mark.line for mark in marks)))
    blank = " " * gutter
    bar = paint("|", _BLUE)
    head = f"{diagnostic.severity}[{diagnostic.code}]"
    out = [
        f"{paint(head, accent)}{paint(': ' + _visible(diagnostic.message), _BOLD)}",
        f"{blank}{paint('-->', _BLUE)} {_visible(source.name)}:{line}:{column}",
    ]
    shown = 0
    for mark in marks:
        text, offset, length = _window(source.line(mark.line), mark)
        if mark.line != shown:
            if shown and mark.line > shown + 1:
                out.append(paint("...", _BLUE))
            out.append(f"{paint(f'{mark.line:>{gutter}}', _BLUE)} {bar} {text}".rstrip())
            shown = mark.line
        under = mark.sign * length + (f" {_visible(mark.label)}" if mark.label else "")
        out.append(f"{blank} {bar} {' ' * offset}{paint(under, accent if mark.sign == '^' else _BLUE)}")
    if diagnostic.given:
        text = _visible(diagnostic.given)
        out = [out[0], f"{blank}{paint('-->', _BLUE)} outside the spec", f"{blank} {bar} {text}"]
        out.append(f"{blank} {bar} {paint('^' * sum(map(_width, text)), accent)}")
    equals = paint("=", _BLUE)
    out += [f"{blank} {equals} note: {_visible(n.text)}" for n in diagnostic.notes if n.span is None]
    if diagnostic.help:
        out.append(f"{blank} {equals} {paint('help', _CYAN)}: {_visible(diagnostic.help)}")
    return "\n".join(out)


def render_all(source: Source, diagnostics: Iterable[Diagnostic], color: bool = False) -> str:
    """All messages in the order of the text, the first 20 errors of them; ends without a line break."""
    shown: list[str] = []
    errors = 0
    for diagnostic in in_order(diagnostics):
        errors += diagnostic.severity is Severity.ERROR
        if errors <= MAXIMUM:
            shown.append(render(source, diagnostic, color))
    if errors > MAXIMUM:
        more = errors - MAXIMUM
        shown.append(f"... and {more} more error{'s' if more > 1 else ''}")
    return "\n\n".join(shown)


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorted by place, then by code."""
    return sorted(diagnostics, key=lambda diagnostic: (diagnostic.span, diagnostic.code))


def to_json(source: Source, diagnostics: Iterable[Diagnostic]) -> dict[str, object]:
    """All messages as data that `json.dumps` takes; offsets count from 0, lines and columns from 1."""
    return {
        "schema": 1,
        "source": source.name,
        "diagnostics": [_to_data(source, diagnostic) for diagnostic in in_order(diagnostics)],
    }


def _to_data(source: Source, diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "code": diagnostic.code,
        "severity": str(diagnostic.severity),
        "message": diagnostic.message,
        "label": diagnostic.label,
        "help": diagnostic.help,
        **({"given": diagnostic.given} if diagnostic.given else {}),
        **_place(source, diagnostic.span),
        "notes": [_note_to_data(source, note) for note in diagnostic.notes],
        "edits": [
            {**_place(source, edit.span), "replacement": edit.replacement} for edit in diagnostic.edits
        ],
    }


def _note_to_data(source: Source, note: Note) -> dict[str, object]:
    place = _place(source, note.span) if note.span is not None else {}
    return {"text": note.text, **place}


def _place(source: Source, span: Span) -> dict[str, int]:
    line, column = source.position(span.start)
    end_line, end_column = source.position(span.end)
    return {
        "start": span.start,
        "end": span.end,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }


def _painter(color: bool) -> Callable[[str, str], str]:
    return (lambda text, style: f"{style}{text}{_RESET}") if color else (lambda text, style: text)


def _marks(source: Source, span: Span, sign: str, label: str) -> list[_Mark]:
    """The lines of a span to underline: its only line, or its first and its last."""
    line, column = source.position(span.start)
    last, end = source.position(max(span.start, span.end))
    if last > line and end == 1:  # the line break belongs to the line before
        last, end = last - 1, len(source.line(last - 1)) + 1
    if last == line:
        return [_Mark(line, column - 1, end - 1, sign, label)]
    final = source.line(last)
    indent = len(final) - len(final.lstrip())
    return [
        _Mark(line, column - 1, len(source.line(line)), sign, ""),
        _Mark(last, min(indent, end - 1), end - 1, sign, label),
    ]


def _cell(character: str) -> str:
    """A character as it is shown: nothing that moves the cursor or reorders the line."""
    if character == "\t":
        return " " * _TAB
    return "\ufffd" if category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") else character


def _visible(text: str) -> str:
    return "".join(_cell(character) for character in text)


def _width(cell: str) -> int:
    if len(cell) > 1:
        return len(cell)
    if category(cell) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(cell) in ("W", "F") else 1


def _window(line: str, mark: _Mark) -> tuple[str, int, int]:
    """The line as shown, and the column and the width of the mark in it."""
    first = 0
    if len(line) > _WIDEST:
        first = max(0, min(mark.start - _WIDEST // 3, len(line) - _WIDEST))
    cells = [_cell(character) for character in line[first : first + _WIDEST]]
    before, after = "…" if first else "", "…" if first + _WIDEST < len(line) else ""
    start, end = mark.start - first, min(mark.end - first, len(cells))
    offset = len(before) + sum(_width(cell) for cell in cells[:start])
    length = sum(_width(cell) for cell in cells[start:end])
    return before + "".join(cells) + after, offset, max(1, length)
