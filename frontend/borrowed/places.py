"""Places given as arguments of fields and derivatives: `u(x, 0) = f`, `u(0, t) = 0`, `du/dx(0, t) = 0`."""

from dataclasses import dataclass

from nablax.frontend.borrowed.derivatives import below, call, fraction, letters
from nablax.frontend.borrowed.reading import Declared, Found, Reading
from nablax.frontend.diagnostics import Edit
from nablax.frontend.source import Span
from nablax.frontend.tokens import CLOSER, arguments, closing


def _is_field(word: str, names: Declared) -> bool:
    """A field, or the derivative of one: `u`, `u_x`."""
    return word in names.fields or (
        word not in names and word.rpartition("_")[0] in names.fields and not word.endswith("_")
    )


def _places(reading: Reading, opening: int, end: int) -> dict[str, str | None] | None:
    """What the arguments of a field say of each coordinate: None leaves it free; None if they say nothing."""
    names, given = reading.names, arguments(reading.tokens, opening, end)
    if not given or any(start == stop for start, stop in given):
        return None
    orders = [names.coordinates]
    if names.time:
        orders.append((names.time, *names.axes))
    if reading.block == "initial" and names.time and len(given) == 1:
        orders = [(names.time,), names.axes]
    elif len(given) == len(names.axes) != len(names.coordinates):
        orders = [names.axes]
    for order in orders:
        found = _matched(reading, given, order)
        if found is not None:
            return found
    return None


def _matched(
    reading: Reading, given: tuple[tuple[int, int], ...], order: tuple[str, ...]
) -> dict[str, str | None] | None:
    found: dict[str, str | None] = {}
    for k, (start, stop) in enumerate(given):
        word = reading.text(start)
        if reading.kind(start) == "NAME" and reading.kind(start + 1) == "RELATION" and stop > start + 2:
            if word not in reading.names.coordinates:
                return None
            found[word] = reading.slice(start + 2, stop)
            continue
        if len(given) != len(order):
            return None
        if stop - start == 1 and word in reading.names.coordinates:
            if word != order[k]:
                return None
            found[word] = None
        elif any(
            token.kind == "NAME" and token.text in reading.names.coordinates
            for token in reading.tokens[start:stop]
        ):
            return None  # `u(x + 1, t)`, `u(x, t - 1)`
        else:
            found[order[k]] = reading.slice(start, stop)
    return found


_BRACKETS = ("LPAR", "LSQB")


@dataclass(frozen=True, slots=True)
class _Placed:
    """A field or a derivative with its places, up to the token `end`: as it stands, as it is written here,
    and the edits that write it so."""

    end: int
    found: str
    written: str
    derivative: bool
    places: dict[str, str | None]
    edits: tuple[Edit, ...]

    @property
    def fixed(self) -> dict[str, str]:
        return {axis: value for axis, value in self.places.items() if value is not None}


def _placed(reading: Reading, at: int) -> _Placed | None:
    if reading.kind(at) == "NAME" and _is_field(reading.text(at), reading.names):
        return _field_placed(reading, at)
    if reading.block not in ("initial", "boundary"):
        return None
    return _derivative_placed(reading, at) or _operand_placed(reading, at)


def _field_placed(reading: Reading, at: int) -> _Placed | None:
    """`u(0, t)`, `u_x(0, t)`, and `u(0, t)` behind `∂x`."""
    if reading.kind(at - 1) in ("DOT", "BAR"):
        return None
    found = _behind(reading, at + 1)
    if found is None:
        return None
    end, places = found
    name = reading.slice(at, at + 1)
    behind = reading.kind(at - 1) == "PARTIAL"
    if behind:
        name = f"{reading.text(at - 1)} {reading.text(at)}"
    derivative = behind or reading.text(at) not in reading.names.fields
    drop = Edit(Span(reading.tokens[at].span.end, reading.tokens[end].span.end), "")
    return _Placed(end + 1, name, name, derivative, places, (drop,))


def _derivative_placed(reading: Reading, at: int) -> _Placed | None:
    """`du/dx(0, t)`, `diff(u, x)(0, t)`, `dx(u)(0, t)`, `du/dx|x=0`."""
    if reading.kind(at) != "NAME" or reading.kind(at - 1) == "DOT":
        return None
    other = fraction(reading, at)
    end = None if other is None else other.end
    if other is None:
        close = closing(reading.tokens, at + 1) if reading.kind(at + 1) in _BRACKETS else None
        end = None if close is None else close + 1
        other = call(reading, at)
        axes = (*reading.names.coordinates, "n")
        if other is None and (reading.text(at) in reading.names or not letters(reading.text(at)[1:], axes)):
            return None
    if end is None:
        return None
    behind = _behind(reading, end)
    if behind is None or (other is not None and not other.edits):
        return None
    stop, places = behind
    edits = () if other is None else other.edits
    written = _rewritten(reading, at, end, edits)
    drop = Edit(Span(reading.tokens[end - 1].span.end, reading.tokens[stop].span.end), "")
    return _Placed(stop + 1, reading.slice(at, end), written, True, places, (*edits, drop))


def _behind(reading: Reading, end: int) -> tuple[int, dict[str, str | None]] | None:
    """The last token of the places that begin at `end`, `(0, t)` or `|x=0`, and the places."""
    if reading.kind(end) in _BRACKETS:
        stop = closing(reading.tokens, end)
        places = None if stop is None else _places(reading, end, stop)
        return None if stop is None or places is None else (stop, places)
    axis = reading.text(end + 1)
    if (
        reading.kind(end) != "BAR"
        or axis not in reading.names.coordinates
        or reading.kind(end + 2) != "RELATION"
    ):
        return None
    stop = end + 3 + (reading.text(end + 3) in ("-", "−"))
    return (
        (stop, {axis: reading.slice(end + 3, stop + 1)}) if reading.kind(stop) in ("NAME", "NUMBER") else None
    )


def _rewritten(reading: Reading, start: int, end: int, edits: tuple[Edit, ...]) -> str:
    """The text of the tokens from `start` to `end - 1` with edits inside of it."""
    span = reading.span(start, end)
    text = reading.source.slice(span)
    for edit in sorted(edits, key=lambda e: e.span, reverse=True):
        text = text[: edit.span.start - span.start] + edit.replacement + text[edit.span.end - span.start :]
    return text


def _operand_placed(reading: Reading, at: int) -> _Placed | None:
    """`du(0, t)/dx` and `∂u(0, t)/∂x`."""
    sign, word = reading.kind(at), reading.text(at)
    field = word[1:]
    if sign not in ("NAME", "PARTIAL") or field not in reading.names.fields or word in reading.names:
        return None
    if word[0] not in "d∂" or reading.kind(at + 1) != "LPAR":
        return None
    close = closing(reading.tokens, at + 1)
    if close is None or reading.kind(close + 1) != "SLASH":
        return None
    places = _places(reading, at + 1, close)
    if sign == "PARTIAL":
        along, end = reading.text(close + 2)[1:], close + 3
        axes = (
            [along] if reading.kind(close + 2) == "PARTIAL" and along in reading.names.coordinates else None
        )
    else:
        lower = below(reading, close + 2, 1)
        axes, end = (None, at) if lower is None else lower
    if places is None or axes is None:
        return None
    written = f"d{''.join(axes)}({field})"
    return _Placed(
        end, reading.slice(at, end), written, True, places, (Edit(reading.span(at, end), written),)
    )


def argument(reading: Reading, at: int) -> Found | None:
    """`u(x, t)`, `u(x, 0) = f` in `initial`, `u(0, t) = 0` and `du/dx(0, t) = 0` in `boundary`."""
    placed = _placed(reading, at)
    if placed is None:
        return None
    what = "the derivative of a field" if placed.derivative else "a field"
    message = f"`{placed.found}` is {what} and takes no arguments"
    fixed = placed.fixed
    if not fixed:
        return Found("P024", placed.end, message, f"write `{placed.written}`", placed.edits)
    if reading.block == "initial" and list(fixed) == [reading.names.time]:
        help = f"write `{placed.written} = ...`: all of `initial` holds at the start of time"
        return Found("P024", placed.end, message, help, placed.edits)
    if reading.block == "boundary" and len(fixed) == 1 and reading.names.time not in fixed:
        return _at_wall(reading, at, placed, message)
    return None


def _at_wall(reading: Reading, at: int, placed: _Placed, message: str) -> Found:
    ((axis, value),) = placed.fixed.items()
    place = f"{axis} = {value}"
    if any(token.kind == "COLON" for token in reading.tokens):
        help = f"write `{placed.written}`: the side stands before the `:`"
        return Found("P024", placed.end, message, help, placed.edits)
    others = [_place_of(reading, k) for k in range(len(reading.tokens)) if k != at]
    if any(other not in (None, place) for other in others):
        comma = _comma_behind(reading, placed.end - 1)
        if comma is not None:
            apart = Edit(reading.tokens[comma].span, ";")
            help = "begin the second one on a new line or after `;`"
            message = "conditions of two sides in one statement"
            return Found("P024", len(reading.tokens), message, help, (apart,))
        help = (
            f"a condition speaks of one side; for equal values at both, make the axis periodic: "
            f"`{axis} in [low, high] periodic`"
        )
        return Found("P024", len(reading.tokens), "values at two sides in one condition", help)
    edits = placed.edits
    headed = reading.text(0) in reading.names.axes and reading.kind(1) == "RELATION"
    if not headed and all(_place_of(reading, k) is None for k in range(at)):
        start = reading.tokens[0].span.start
        edits = (Edit(Span(start, start), f"{place}: "), *edits)
    help = f"write the side before a `:`, as in `{place}: {placed.written} = ...`"
    return Found("P024", placed.end, message, help, edits)


def _comma_behind(reading: Reading, at: int) -> int | None:
    """The first comma outside of all brackets behind the closing bracket at `at`."""
    depth = 0
    for k in range(at + 1, len(reading.tokens)):
        depth += (reading.kind(k) in CLOSER) - (reading.kind(k) in CLOSER.values())
        if reading.kind(k) == "_COMMA" and depth == 0:
            return k
    return None


def _place_of(reading: Reading, at: int) -> str | None:
    """The side that the arguments of what begins at `at` name."""
    placed = _placed(reading, at)
    fixed = [] if placed is None else [f"{axis} = {value}" for axis, value in placed.fixed.items()]
    return fixed[0] if fixed else None


_AT = ("at", "on", "when", "for")


def side_behind(reading: Reading, at: int) -> Found | None:
    """`x = 0, u = 0` and `u = 0 at x = 0` in `boundary`: the side without its `:`."""
    if reading.block != "boundary" or (at > 0 and reading.text(at) not in _AT):
        return None
    if any(token.kind == "COLON" for token in reading.tokens):
        return None
    names, start = reading.names, reading.tokens[0].span.start
    if at == 0 and reading.text(0) in names.axes and reading.kind(1) == "RELATION":
        comma = next((k for k, token in enumerate(reading.tokens) if token.kind == "_COMMA"), None)
        if comma is None:
            return None
        edits = (Edit(reading.tokens[comma].span, ":"),)
        help = "write the side before a `:`, as in `x = 0: u = 0`"
        return Found("P024", comma + 1, "a side without its `:`", help, edits)
    if reading.text(at) in _AT and reading.kind(at) == "NAME":
        if reading.text(at + 1) not in names.axes or reading.kind(at + 2) != "RELATION" or at == 0:
            return None
        place = reading.slice(at + 1, len(reading.tokens))
        before = reading.tokens[at - 1].span.end
        stop = reading.tokens[-1].span.end
        moved = (Edit(Span(start, start), f"{place}: "), Edit(Span(before, stop), ""))
        help = f"write the side before a `:`, as in `{place}: ...`"
        return Found("P024", len(reading.tokens), "a side behind its condition", help, moved)
    return None
