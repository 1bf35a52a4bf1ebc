"""Places given as arguments of fields: `u(x, 0) = f`, `u(0, t) = 0`."""

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


def argument(reading: Reading, at: int) -> Found | None:
    """`u(x, t)`, `u(x, 0) = f` in `initial`, `u(0, t) = 0` in `boundary`."""
    if reading.kind(at) != "NAME" or not _is_field(reading.text(at), reading.names):
        return None
    if reading.kind(at + 1) not in _BRACKETS or reading.kind(at - 1) == "DOT":
        return None
    end = closing(reading.tokens, at + 1)
    places = None if end is None else _places(reading, at + 1, end)
    if end is None or places is None:
        return None
    name = reading.slice(at, at + 1)
    what = "a field" if reading.text(at) in reading.names.fields else "the derivative of a field"
    drop = Edit(reading.span(at + 1, end + 1), "")
    fixed = {axis: value for axis, value in places.items() if value is not None}
    message = f"`{name}` is {what} and takes no arguments"
    if not fixed:
        return Found("P024", end + 1, message, f"write `{name}`", (drop,))
    if reading.block == "initial" and list(fixed) == [reading.names.time]:
        help = f"write `{name} = ...`: all of `initial` holds at the start of time"
        return Found("P024", end + 1, message, help, (drop,))
    if reading.block == "boundary" and len(fixed) == 1 and reading.names.time not in fixed:
        return _at_wall(reading, at, end, *next(iter(fixed.items())), drop)
    return None


def _at_wall(reading: Reading, at: int, end: int, axis: str, value: str, drop: Edit) -> Found:
    name = reading.slice(at, at + 1)
    message = f"`{name}` is a field and takes no arguments"
    place = f"{axis} = {value}"
    if any(token.kind == "COLON" for token in reading.tokens):
        return Found("P024", end + 1, message, f"write `{name}`: the side stands before the `:`", (drop,))
    others = [_place_of(reading, k) for k in range(len(reading.tokens)) if k != at]
    if any(other not in (None, place) for other in others):
        comma = _comma_behind(reading, end)
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
    edits = [drop]
    headed = reading.text(0) in reading.names.axes and reading.kind(1) == "RELATION"
    if not headed and all(_place_of(reading, k) is None for k in range(at)):
        start = reading.tokens[0].span.start
        edits.insert(0, Edit(Span(start, start), f"{place}: "))
    return Found(
        "P024", end + 1, message, f"write the side before a `:`, as in `{place}: {name} = ...`", tuple(edits)
    )


def _comma_behind(reading: Reading, at: int) -> int | None:
    """The first comma outside of all brackets behind the closing bracket at `at`."""
    depth = 0
    for k in range(at + 1, len(reading.tokens)):
        depth += (reading.kind(k) in CLOSER) - (reading.kind(k) in CLOSER.values())
        if reading.kind(k) == "_COMMA" and depth == 0:
            return k
    return None


def _place_of(reading: Reading, at: int) -> str | None:
    """The side that a field's arguments at `at` name."""
    if reading.kind(at) != "NAME" or not _is_field(reading.text(at), reading.names):
        return None
    end = closing(reading.tokens, at + 1) if reading.kind(at + 1) in _BRACKETS else None
    places = None if end is None else _places(reading, at + 1, end)
    fixed = [f"{axis} = {value}" for axis, value in (places or {}).items() if value is not None]
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
