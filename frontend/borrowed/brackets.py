"""Brackets of Mathematica, and intervals that are not written with `in`."""

from nablax.frontend.borrowed.reading import Found, Reading
from nablax.frontend.diagnostics import Edit
from nablax.frontend.source import Span
from nablax.frontend.tokens import arguments, closing


def brackets(reading: Reading, at: int) -> Found | None:
    """`Sin[x]` of Mathematica."""
    if reading.kind(at) != "NAME" or reading.kind(at + 1) != "LSQB" or reading.kind(at - 1) == "DOT":
        return None
    word = reading.text(at)
    end = closing(reading.tokens, at + 1)
    if end is None or not word[0].isupper() or len(word) < 2 or word in reading.names:
        return None
    name = {"Log": "log", "ArcTan": "atan", "ArcSin": "asin", "ArcCos": "acos"}.get(word, word.lower())
    edits = (
        Edit(reading.span(at, at + 2), f"{name}("),
        Edit(reading.tokens[end].span, ")"),
    )
    message = f"the arguments of `{word}` stand in `[ ]`"
    return Found("P023", at + 2, message, f"write `{name}(...)`", edits, "an index in this language")


def interval(reading: Reading, at: int) -> Found | None:
    """`x = [0, 1]`, `x: [0, 1]`, `x in (0, 1)`, `0 < x < 1` in `space` and `time`."""
    if reading.block not in ("space", "time") or at != 0:
        return None
    kinds = [reading.kind(k) for k in range(7)]
    last = len(reading.tokens)
    if "INSIDE" in kinds:
        return None  # a region, no interval
    if kinds[0] == "NAME" and kinds[1] in ("RELATION", "COLON") and kinds[2] == "LSQB":
        edits = (Edit(Span(reading.tokens[0].span.end, reading.tokens[2].span.start), " in "),)
        message = "an axis is declared with `in`"
        return Found("P015", last, message, f"write `{reading.text(0)} in [low, high]`", edits)
    if kinds[:3] == ["NAME", "IN", "LPAR"]:
        end = closing(reading.tokens, 2)
        if end is None or len(arguments(reading.tokens, 2, end)) != 2:
            return None
        square = (Edit(reading.tokens[2].span, "["), Edit(reading.tokens[end].span, "]"))
        message = "an interval stands in `[ ]`: its ends belong to the problem"
        return Found("P015", last, message, f"write `{reading.text(0)} in [low, high]`", square)
    signs = [k for k, token in enumerate(reading.tokens) if token.kind == "RELATION"]
    if len(signs) == 2 and signs[1] == signs[0] + 2 and all(reading.text(k) in ("<", "<=") for k in signs):
        low, high = reading.slice(0, signs[0]), reading.slice(signs[1] + 1, last)
        written = f"{reading.slice(signs[0] + 1, signs[1])} in [{low}, {high}]"
        edits = (Edit(reading.span(0, last), written),)
        return Found("P015", last, "an axis is declared with `in`", f"write `{written}`", edits)
    return None
