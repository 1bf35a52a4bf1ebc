"""Linear operators that are no derivative of integer order: inert SymPy functions.

Those of `Fourier` act on periodic boxes, where they have a Fourier symbol; those of `Between` act where some
axis has walls. All take the operand first.
"""

from collections.abc import Sequence

import sympy as sp

from nablax.fractional_calculus.operators import FractionalIntegral, FractionalOperator


class FractionalLaplacian(sp.Function):
    """(-Δ)^s u on a periodic box: symbol |k|^(2s). Arguments: u, s."""

    nargs = 2

    def _eval_derivative(self, symbol: sp.Symbol) -> sp.Expr:
        # Constant coefficients on a periodic box: derivatives pass through.
        return FractionalLaplacian(sp.Derivative(self.args[0], symbol), self.args[1])


class RieszDerivative(sp.Function):
    """-(-∂xx)^(β/2) u along one periodic axis: symbol -|k_x|^β. Arguments: u, x, β."""

    nargs = 3

    def _eval_derivative(self, symbol: sp.Symbol) -> sp.Expr:
        return RieszDerivative(sp.Derivative(self.args[0], symbol), *self.args[1:])


class BetweenWalls(sp.Function):
    """What the operators on bounded axes have in common: no derivative passes through. Not used by itself."""

    def _eval_derivative(self, symbol: sp.Symbol) -> sp.Expr:
        return sp.Derivative(self, symbol, evaluate=False)


class SpectralLaplacian(BetweenWalls):
    """Σ λ^s ⟨u, φ⟩ φ over the eigenfunctions φ of -div(a grad) with the conditions of u on the walls.
    Arguments: u, s, a."""

    nargs = 3


BOX, BALL, SPACE = sp.Integer(0), sp.Integer(1), sp.Integer(2)
"""Where a field may differ from zero: the box, the largest ball in it, all of space."""
SUPPORTS = {"box": BOX, "ball": BALL, "space": SPACE}


class IntegralLaplacian(BetweenWalls):
    """(-Δ)^s over all of space, the field zero outside its support. Arguments: u, s, and `BOX`, `BALL` or
    `SPACE`."""

    nargs = 3


class Outside(sp.Function):
    """What a field that is g outside an interval adds to its integral (-Δ)^s inside. No unknown stands in it.
    Arguments: g, s, the axis' symbol, and a symbol with the name of the field."""

    nargs = 4


class BoundedRiesz(BetweenWalls):
    """-(-∂xx)^(β/2) u along one axis of a box with walls; zero beyond its own. Arguments: u, x, β."""

    nargs = 3


class OneSided(BetweenWalls):
    """A fractional derivative from an end of a bounded axis. Arguments: u, x, α, side (1 from the lower end,
    -1 from the upper), n with n - 1 < α <= n, 1 for Caputo's and 0 for Riemann and Liouville's, and the rate
    λ of a tempered one."""

    nargs = 7


Fourier = (FractionalLaplacian, RieszDerivative)
Differenced = (IntegralLaplacian, BoundedRiesz, OneSided)
"""Those that differences of second order stand for on a grid."""
Between = (SpectralLaplacian, *Differenced)
Around = (IntegralLaplacian, BoundedRiesz)
"""Those whose kernel looks all around a point."""
Modal = (*Fourier, SpectralLaplacian)
"""Those that are diagonal in sines, cosines or Fourier modes."""
Nonlocal = (*Fourier, *Between, FractionalOperator)


def variables(node: sp.Expr) -> frozenset[sp.Symbol]:
    """The coordinates that a nonlocal operator acts along: what holds none of them is a constant to it."""
    if isinstance(node, FractionalOperator):
        return frozenset({node.variable})
    if isinstance(node, RieszDerivative | BoundedRiesz | OneSided):
        return frozenset({node.args[1]})
    return frozenset(node.args[0].free_symbols)


def conditions_along(node: sp.Expr, symbol: sp.Symbol) -> int:
    """How many initial values the operator itself asks for along a coordinate: n for n - 1 < α <= n."""
    if not isinstance(node, FractionalOperator) or isinstance(node, FractionalIntegral):
        return 0
    return node.ceiling if node.variable == symbol else 0


def fourier_symbol(node: sp.Expr, symbols: dict[sp.Symbol, sp.Symbol]) -> sp.Expr:
    """The multiplier of an operator of `Fourier`; `symbols` maps each space symbol to its wavenumber."""
    if isinstance(node, FractionalLaplacian):
        square = sp.Add(*(k**2 for k in symbols.values()))
        return square ** node.args[1]
    _, x, beta = node.args
    return -(sp.Abs(symbols[x]) ** beta)


def exponent(node: sp.Expr) -> sp.Expr:
    """The power of the wavenumber that an operator of `Fourier` or `Between` grows like."""
    if isinstance(node, RieszDerivative | BoundedRiesz | OneSided):
        return node.args[2]
    return 2 * node.args[1]


def order_along(node: sp.Expr | None, axis: sp.Symbol) -> int:
    """The whole order that an operator between walls counts as along an axis, for its conditions; 0 for
    None and along axes that it leaves alone."""
    if not isinstance(node, Between):
        return 0
    if isinstance(node, OneSided):
        return int(node.args[4]) if node.args[1] == axis else 0
    if isinstance(node, IntegralLaplacian) and node.args[2] != BOX:
        return 0  # what holds on the walls of the box is no condition of it
    return 2 if not isinstance(node, BoundedRiesz) or node.args[1] == axis else 0


def total_order(node: sp.Expr | None, axes: Sequence[sp.Symbol]) -> int:
    """The highest of `order_along`."""
    return max((order_along(node, a) for a in axes), default=0)
