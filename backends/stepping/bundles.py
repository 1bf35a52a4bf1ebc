"""Explicit steps in bundles: ghosts are attached once for several steps.

Each evaluation stands apart from the next (measured without: 3 times the time of Gray–Scott, 512²). What
one leaves for the next are the rows of all unknowns in turn, where that is possible: see `weaving`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import jax.numpy as jnp
from jax import Array

from nablax.backends.branches import apart
from nablax.backends.interface import Extensible, Parameters, Vector
from nablax.backends.stepping.tableaus import Tableau
from nablax.backends.stepping.vectors import combination
from nablax.backends.stepping.weaving import unwoven, weavable, woven

Rows = Vector | Array
"""One array per unknown, or one with the rows of all."""
Result = TypeVar("Result")


class Bundle(Protocol):
    """`steps` steps of one method at once."""

    @property
    def steps(self) -> int: ...

    def advance(self, t: Array, y: Vector, h: Array, params: Parameters) -> Vector:
        """y after that many steps of size h; not a number where t is none."""
        ...


@dataclass(frozen=True, slots=True)
class RungeKuttaBundle:
    """`steps` steps of a tableau on arrays that reach beyond the grid."""

    scheme: Extensible
    tableau: Tableau
    steps: int

    def advance(self, t: Array, y: Vector, h: Array, params: Parameters) -> Vector:
        """y after `steps` steps of size h; not a number where t is none."""
        stages = self.tableau.stages
        depth = self.steps * stages
        keep: Callable[[Vector], Rows] = woven if weavable(y) else _each
        rows: Rows = self.scheme.extend(y, depth)
        for i in range(self.steps - 1):
            rows = self._step(t + i * h, rows, depth, h, params, keep, keep)
            depth -= stages
        return self._step(t + (self.steps - 1) * h, rows, depth, h, params, keep, _each)

    def _step(
        self,
        t: Array,
        y: Rows,
        depth: int,
        h: Array,
        params: Parameters,
        keep: Callable[[Vector], Rows],
        end: Callable[[Vector], Result],
    ) -> Result:
        """One step; `keep` says how values within it are held, and `end` how those after it."""
        table = self.tableau
        weights, nodes = table.weights(), [float(c) for c in table.c]
        sound = jnp.isfinite(t)
        last = table.stages - 1
        rates: list[Rows] = []
        stage = y
        for i in range(last):
            rate = partial(self._rate, keep, depth - i)
            rates.append(apart(sound, rate, t + nodes[i] * h, stage, params))
            combined = partial(self._stage, keep, depth, weights[i + 1])
            stage = apart(sound, combined, y, tuple(rates), h)
        finished = partial(self._finished, end, depth)
        at = t + nodes[last] * h
        return apart(sound, finished, at, y, stage, tuple(rates), h, params)

    def _rate(
        self, keep: Callable[[Vector], Rows], depth: int, t: Array, rows: Rows, params: Parameters
    ) -> Rows:
        return keep(self.scheme.rate(depth, t, _fields(rows), params))

    def _stage(
        self,
        keep: Callable[[Vector], Rows],
        depth: int,
        weights: tuple[float, ...],
        y: Rows,
        rates: tuple[Rows, ...],
        h: Array,
    ) -> Rows:
        return keep(self._combined(depth, weights, _fields(y), [_fields(rate) for rate in rates], h))

    def _combined(
        self, depth: int, weights: tuple[float, ...], y: Vector, rates: Sequence[Vector], h: Array
    ) -> Vector:
        """y + h Σ weights · rates, all on the box of the last rate."""
        to = depth - len(rates)
        shrunk = [self.scheme.crop(rate, depth - 1 - i, to) for i, rate in enumerate(rates)]
        return combination(self.scheme.crop(y, depth, to), h, weights[: len(rates)], shrunk)

    def _finished(
        self,
        end: Callable[[Vector], Result],
        depth: int,
        t: Array,
        y: Rows,
        stage: Rows,
        rates: tuple[Rows, ...],
        h: Array,
        params: Parameters,
    ) -> Result:
        """The last rate and the new values in one pass."""
        last = self.scheme.rate(depth - len(rates), t, _fields(stage), params)
        before = [_fields(rate) for rate in rates]
        return end(self._combined(depth, self.tableau.solution(), _fields(y), [*before, last], h))


def _fields(rows: Rows) -> Vector:
    return rows if isinstance(rows, tuple) else unwoven(rows)


def _each(arrays: Vector) -> Vector:
    return arrays
