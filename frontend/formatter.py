"""One layout for every spec: the text is laid out anew, its expressions are left as they are written.

Each block is indented by two, blank lines are squeezed to one, comments stay where they are. Columns that the
author lined up (two blanks or more before `=`, `{` or after `:`) are lined up again; the others are not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from nablax.frontend.diagnostics import Report
from nablax.frontend.lexer import scan
from nablax.frontend.outline import GOES_ON
from nablax.frontend.parser import parse
from nablax.frontend.source import Source, read_source
from nablax.frontend.spacing import Word, spell
from nablax.frontend.tokens import Token
from nablax.frontend.unicode_spelling import unicode_edits

_INDENT = 2
_CONTINUED = 4  # further, for the lines that go on with a statement
_CLOSERS = ("RPAR", "RSQB")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line in cells; `wide` tells for each gap between them whether the author widened it."""

    indent: int
    cells: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()  # what each gap is: label, colon, sign or brace
    wide: tuple[bool, ...] = ()
    comment: str = ""
    after_blank: bool = False


def format_text(source: Source, unicode: bool = False) -> str:
    """The text laid out; with `unicode`, ASCII spellings as mathematical signs where nothing changes.

    The result parses to the same syntax, and formatting it again changes nothing.

    Raises:
        SpecError: the text has syntax errors.
    """
    report = Report(source)
    module = parse(source, report)
    report.check()
    if unicode and module is not None:
        text = source.text
        for edit in sorted(unicode_edits(source, module), key=lambda edit: edit.span, reverse=True):
            text = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
        source = read_source(source.name, text)
    lines = _Layout(source).lines()
    return "".join(f"{line}\n" for line in _written(lines))


class _Layout:
    """A cursor over the tokens of a text without errors, which collects lines."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.tokens = tuple(scan(source, Report(source)))
        self.at = 0
        self.made: list[_Line] = []
        self.breaks = 1  # line breaks since the last line was made

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def advance(self) -> Token:
        token = self.token
        self.at += 1
        return token

    def add(self, line: _Line, blank: bool = True) -> None:
        self.made.append(replace(line, after_blank=blank and self.breaks > 1 and bool(self.made)))
        self.breaks = 0

    def pass_break_or_comment(self, indent: int, blank: bool = True) -> bool:
        """Take a line break, a semicolon or a comment; False where there is none."""
        match self.token.kind:
            case "NEWLINE":
                self.breaks += 1
            case "SEMICOLON":
                pass
            case "COMMENT":
                text = self.source.slice(self.token.span).rstrip()
                if self.breaks == 0 and self.made:
                    self.made[-1] = replace(self.made[-1], comment=text)
                else:
                    self.add(_Line(indent, comment=text), blank)
            case _:
                return False
        self.at += 1
        return True

    def lines(self) -> list[_Line]:
        while self.token.kind != "END":
            if self.pass_break_or_comment(0):
                continue
            if self.token.kind == "STRING":
                self.add(_Line(0, (self.advance_text(),)))
            elif self.tokens[self.at + 1].kind == "NUMBER":
                self.add(_Line(0, (f"{self.advance_text()} {self.advance_text()}",)))
            else:
                self.block()
        return self.made

    def advance_text(self) -> str:
        return self.source.slice(self.advance().span)

    def block(self) -> None:
        head = self.advance_text()
        while self.token.kind != "LBRACE":
            if not self.pass_break_or_comment(0):
                head += " " + self.advance_text()
        brace = self.advance()
        gap = self.gap_before(brace)
        start = self.at
        end = next(at for at in range(start, len(self.tokens)) if self.tokens[at].kind == "RBRACE")
        inside = self.tokens[start:end]
        wide = (_is_wide(gap),)
        if any(token.kind in ("NEWLINE", "COMMENT") for token in inside):
            self.add(_Line(0, (head, "{"), ("brace",), wide))
            self.body()
            self.add(_Line(0, ("}",)), blank=False)
        else:
            words = spell(_without_idle_semicolons(inside), self.source)
            self.at = end
            body = _joined(words)
            self.add(_Line(0, (head, f"{{ {body} }}" if body else "{ }"), ("brace",), wide))
        self.advance()

    def gap_before(self, token: Token) -> str:
        start = token.span.start
        text = self.source.text
        begin = start
        while begin > 0 and text[begin - 1] != "\n" and text[begin - 1].isspace():
            begin -= 1
        return text[begin:start] if begin > 0 and text[begin - 1] != "\n" else ""

    def body(self) -> None:
        first = len(self.made)
        while self.token.kind != "RBRACE":
            blank = len(self.made) > first
            if not self.pass_break_or_comment(_INDENT, blank):
                self.statements(blank)

    def statements(self, blank: bool) -> None:
        """The statements of one line, with the lines that they go on in."""
        taken: list[Token] = []
        depth = 0
        goes_on = False
        while True:
            token = self.token
            if depth == 0 and not goes_on and token.kind in ("NEWLINE", "COMMENT", "RBRACE"):
                break
            if token.kind in ("LPAR", "LSQB"):
                depth += 1
            elif token.kind in _CLOSERS:
                depth -= 1
            if token.kind not in ("NEWLINE", "COMMENT"):
                goes_on = token.kind in GOES_ON
            taken.append(self.advance())
        words = spell(_without_idle_semicolons(tuple(taken)), self.source)
        rows = _rows(words)
        if len(rows) == 1 and not any(word.token.kind == "SEMICOLON" for word in words):
            self.add(self.aligned(words), blank)
            return
        for number, row in enumerate(rows):
            comment = ""
            if row[-1].token.kind == "COMMENT":
                comment, row = row[-1].text.rstrip(), row[:-1]
            further = number > 0 and not (row and row[0].token.kind in _CLOSERS)
            line = _Line(_INDENT + _CONTINUED * further, (_joined(row),) if row else (), comment=comment)
            if number == 0:
                self.add(line, blank)
            else:
                self.made.append(line)

    def aligned(self, words: tuple[Word, ...]) -> _Line:
        """One statement on one line, cut into cells where columns may be lined up."""
        cuts: list[tuple[int, str]] = []
        kinds = [word.token.kind for word in words]
        if kinds[:3] == ["LSQB", "NAME", "RSQB"] and len(kinds) > 3:
            cuts.append((3, "label"))
        depth = 0
        colon = "COLON" in kinds
        for at, kind in enumerate(kinds):
            if kind in ("LPAR", "LSQB"):
                depth += 1
            elif kind in _CLOSERS:
                depth -= 1
            elif depth == 0 and kind == "COLON" and at + 1 < len(kinds):
                cuts.append((at + 1, "colon"))
                break
            elif depth == 0 and not colon and kind in ("RELATION", "TILDE", "IN") and at > 0:
                cuts.append((at, "sign"))
                break
        bounds = [0, *(at for at, _ in cuts), len(words)]
        cells = tuple(_joined(words[a:b]) for a, b in pairwise(bounds))
        wide = tuple(_is_wide(self.gap_before(words[at].token)) for at, _ in cuts)
        return _Line(_INDENT, cells, tuple(slot for _, slot in cuts), wide)


def _is_wide(gap: str) -> bool:
    return len(gap.expandtabs(4)) > 1


def _without_idle_semicolons(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """Only those that separate two statements of a line."""
    kept: list[Token] = []
    for token in tokens:
        if token.kind == "SEMICOLON" and (not kept or kept[-1].kind == "SEMICOLON"):
            continue
        kept.append(token)
    while kept and kept[-1].kind == "SEMICOLON":
        kept.pop()
    return tuple(kept)


def _rows(words: tuple[Word, ...]) -> list[tuple[Word, ...]]:
    """The words of each line; empty lines are left out."""
    rows: list[list[Word]] = [[]]
    for word in words:
        if word.token.kind == "NEWLINE":
            rows.append([])
        else:
            rows[-1].append(word)
    return [tuple(row) for row in rows if row]


def _joined(words: tuple[Word, ...]) -> str:
    return "".join(
        (" " if word.apart and number > 0 else "") + word.text for number, word in enumerate(words)
    )


def _written(lines: list[_Line]) -> Iterator[str]:
    """Lines as text, with the columns and the comments of neighbours lined up."""
    bodies = [body for run in _runs(lines) for body in _aligned_run(run)]
    columns = _comment_columns(lines, bodies)
    for line, body, column in zip(lines, bodies, columns, strict=True):
        if line.after_blank:
            yield ""
        if line.comment:
            yield f"{body:<{column}}{line.comment}" if body else " " * line.indent + line.comment
        else:
            yield body


def _comment_columns(lines: list[_Line], bodies: list[str]) -> list[int]:
    """Where the comment behind each line begins: one column for lines that follow each other."""
    columns = [0] * len(lines)
    start = 0
    for at, (line, body) in enumerate(zip(lines, bodies, strict=True)):
        if line.after_blank:
            start = at
        if not (line.comment and body):
            start = at + 1
            continue
        column = max(len(other) for other in bodies[start : at + 1]) + 2
        columns[start : at + 1] = [column] * (at + 1 - start)
    return columns


def _runs(lines: list[_Line]) -> Iterator[list[_Line]]:
    """Neighbours that may share columns: same indentation, same kinds of gaps, no blank line between."""
    run: list[_Line] = []
    for line in lines:
        alike = run and (line.indent, line.slots) == (run[0].indent, run[0].slots)
        if run and not (alike and line.slots and not line.after_blank):
            yield run
            run = []
        run.append(line)
    if run:
        yield run


def _aligned_run(run: list[_Line]) -> Iterator[str]:
    widths = [
        max(len(line.cells[at]) for line in run) if any(line.wide[at] for line in run) else 0
        for at in range(len(run[0].slots))
    ]
    for line in run:
        if not line.cells:
            yield ""
            continue
        cells = [f"{cell:<{width}}" for cell, width in zip(line.cells, widths, strict=False)]
        yield " " * line.indent + " ".join([*cells, line.cells[-1]])
