"""A spec's text and the places in it."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from unicodedata import normalize


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open range of character offsets into a source text."""

    start: int
    end: int

    def join(self, other: "Span") -> "Span":
        """The smallest span that covers both."""
        return Span(min(self.start, other.start), max(self.end, other.end))

    def contains(self, other: "Span") -> bool:
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True)
class Source:
    """A text with the name that messages show for it."""

    name: str
    text: str

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        return (0, *(i + 1 for i, c in enumerate(self.text) if c == "\n"))

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line (counted from 1) without its line break."""
        start = self.line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start:] if end < 0 else self.text[start:end]

    def slice(self, span: Span) -> str:
        return self.text[span.start : span.end]


def read_source(name: str, text: str) -> Source:
    """The source that the parser wants: NFC, line breaks as `\\n`, no byte order mark.

    Spans are offsets into the text of this source, so normalise here, before anything is parsed.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return Source(name, normalize("NFC", lines))
