"""SymPy expressions written as formulas (`nablax.formula`)."""

from collections.abc import Mapping, Sequence

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.formula import Formula, Step
from nablax.nonlocal_operators import Fourier, fourier_symbol
from nablax.reductions import Integral, Maximum, Mean, Minimum, Noise
from nablax.sampling import FUNCTIONS


class UnevaluableError(Exception):
    """An expression that nodal values cannot answer; the message says what in it."""


def formulate(
    expression: sp.Basic,
    names: Mapping[sp.Basic, str],
    axes: Sequence[sp.Symbol],
    time: sp.Symbol | None = None,
) -> Formula:
    """The expression as a formula; `names` has every symbol and unknown that will have a value.

    Raises `UnevaluableError` for what nodal values of one frame cannot answer.
    """
    writer = _Writer(names, tuple(axes), time)
    writer.add(expression)
    return tuple(writer.steps)


class _Writer:
    """Steps so far, and where each subexpression stands among them."""

    def __init__(
        self, names: Mapping[sp.Basic, str], axes: tuple[sp.Symbol, ...], time: sp.Symbol | None
    ) -> None:
        self.steps: list[Step] = []
        self._names = names
        self._axes = axes
        self._time = time
        self._wavenumbers = {s: sp.Symbol(f"k_{s}", real=True) for s in axes}
        self._known: dict[sp.Basic, int] = {}

    def add(self, node: sp.Basic) -> int:
        """The index of the step that holds the node's value, which is the last one if it is new."""
        if node not in self._known:
            step = self._step(node)
            self.steps.append(step)
            self._known[node] = len(self.steps) - 1
        return self._known[node]

    def _step(self, node: sp.Basic) -> Step:
        if node in self._names:
            return Step("name", name=self._names[node])
        if node in self._wavenumbers.values():
            return Step("wavenumber", along=(list(self._wavenumbers.values()).index(node),))
        if node in (sp.true, sp.false):
            return Step("number", value=(float(bool(node)), 0.0))
        if node.is_number and not node.has(sp.Piecewise, Noise, Integral, Mean, Maximum, Minimum):
            number = complex(node)
            return Step("number", value=(number.real, number.imag))
        if isinstance(node, sp.Derivative):
            return Step("derivative", (self.add(node.expr),), self._orders(node))
        if isinstance(node, Integral | Mean):
            along = tuple(self._axes.index(s) for s in node.args[1:]) or tuple(range(len(self._axes)))
            operation = "mean" if isinstance(node, Mean) else "integral"
            return Step(operation, (self.add(node.args[0]),), along)
        if isinstance(node, Maximum | Minimum):
            operation = "maximum" if isinstance(node, Maximum) else "minimum"
            return Step(operation, (self.add(node.args[0]),))
        if isinstance(node, Noise):
            return Step("noise", along=(int(node.args[0]),))
        if isinstance(node, Fourier):
            symbol = fourier_symbol(node, self._wavenumbers)
            return Step("multiplier", (self.add(node.args[0]), self.add(symbol)), name=node.func.__name__)
        if isinstance(node, sp.Piecewise):
            return Step("piecewise", tuple(self.add(part) for pair in node.args for part in pair.args))
        if node.func in FUNCTIONS:
            return Step(node.func.__name__, tuple(self.add(a) for a in node.args))
        if isinstance(node, AppliedUndef | sp.Symbol):
            raise UnevaluableError(f"`{node}` has no values on the grid")
        raise UnevaluableError(f"`{node.func.__name__}` cannot be evaluated on the grid")

    def _orders(self, node: sp.Derivative) -> tuple[int, ...]:
        orders = dict.fromkeys(self._axes, 0)
        for symbol, count in node.variable_count:
            if symbol == self._time:
                raise UnevaluableError("a frame holds values at one time, which have no time derivative")
            if symbol not in orders or not isinstance(count, sp.Integer):
                raise UnevaluableError(f"`{node}` is no derivative along the axes")
            orders[symbol] += int(count)
        return tuple(orders.values())
