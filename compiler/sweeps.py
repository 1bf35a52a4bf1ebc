"""`--sweep`: which parameters take which values, and the members that come of it.

    nu=0.01:0.1:10         ten values evenly from 0.01 to 0.1, both included
    nu=0.001:1:4:log       four values in equal ratios
    nu=0.1,1/3,2*pi        these, as the language writes numbers
    nu=1,2,3;D=4,5,6       together, value by value: one dimension, named by the first

Several sweeps make every combination, one dimension each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import exp, isfinite, log, prod

MOST_MEMBERS = 10_000
FORMS = "name=low:high:count, name=low:high:count:log, or name=a,b,c"


class SweepError(ValueError):
    """A sweep that cannot be read; one line, lower case."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """Parameters that change together; `texts` has one row a point, in the order of `names`."""

    names: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        """What the dimension is called in saved data."""
        return self.names[0]


@dataclass(frozen=True, slots=True)
class Sweep:
    """A batch of runs; members are counted with the last dimension fastest."""

    dimensions: tuple[Dimension, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(d.texts) for d in self.dimensions)

    @property
    def names(self) -> tuple[str, ...]:
        """Every parameter that is swept."""
        return tuple(n for d in self.dimensions for n in d.names)

    @property
    def members(self) -> Iterator[dict[str, str]]:
        """The values of each member as text."""
        for rows in product(*(d.texts for d in self.dimensions)):
            values = zip(self.dimensions, rows, strict=True)
            yield {n: t for d, row in values for n, t in zip(d.names, row, strict=True)}


def parse_sweep(texts: Sequence[str]) -> Sweep:
    """The sweep that the options ask for. Raises `SweepError`."""
    dimensions = tuple(_dimension(text) for text in texts)
    names = [n for d in dimensions for n in d.names]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice is not None:
        raise SweepError(f"`{twice}` is swept twice")
    count = prod(len(d.texts) for d in dimensions)
    if count > MOST_MEMBERS:
        raise SweepError(f"the sweep has {count} members, and at most {MOST_MEMBERS} are taken")
    return Sweep(dimensions)


def _dimension(text: str) -> Dimension:
    parts = [_values(part) for part in text.split(";")]
    lengths = {len(values) for _, values in parts}
    if len(lengths) > 1:
        counts = ", ".join(f"{len(values)} of `{name}`" for name, values in parts)
        raise SweepError(f"values that go together must be as many: there are {counts}")
    rows = tuple(zip(*(values for _, values in parts), strict=True))
    return Dimension(tuple(name for name, _ in parts), rows)


def _values(text: str) -> tuple[str, tuple[str, ...]]:
    name, equals, right = (part.strip() for part in text.partition("="))
    if not (name and equals and right):
        raise SweepError(f"`{text}` is not of the form {FORMS}")
    if ":" in right:
        return name, _spaced(text, right.split(":"))
    values = tuple(_split(right))
    if not all(values):
        raise SweepError(f"`{text}` has a comma without a value beside it")
    return name, values


def _split(text: str) -> Iterator[str]:
    """At the commas outside brackets."""
    depth, start = 0, 0
    for i, c in enumerate(text):
        depth += (c in "([") - (c in ")]")
        if c == "," and depth == 0:
            yield text[start:i].strip()
            start = i + 1
    yield text[start:].strip()


def _spaced(text: str, parts: Sequence[str]) -> tuple[str, ...]:
    logarithmic = len(parts) == 4 and parts[3].strip() == "log"
    if len(parts) != 3 and not logarithmic:
        raise SweepError(f"`{text}` is not of the form {FORMS}")
    try:
        low, high = float(parts[0]), float(parts[1])
        count = int(parts[2])
    except ValueError:
        raise SweepError(f"`{text}` is no range: ends and count are plain numbers") from None
    if not (isfinite(low) and isfinite(high)):
        raise SweepError(f"`{text}` has an end that is not finite")
    if not 2 <= count <= MOST_MEMBERS:
        raise SweepError(f"`{text}` asks for {count} values: a range has 2 to {MOST_MEMBERS}")
    if logarithmic and min(low, high) <= 0:
        raise SweepError(f"`{text}` is logarithmic, and its ends are not both positive")
    inner = range(1, count - 1)
    if logarithmic:
        a, b = log(low), log(high)
        middle = [exp(a + (b - a) * i / (count - 1)) for i in inner]
    else:
        middle = [low + (high - low) * i / (count - 1) for i in inner]
    # Twelve digits: what a person would have typed for 0.1 + 0.2, and the ends as they were.
    return (parts[0].strip(), *(f"{v:.12g}" for v in middle), parts[1].strip())
