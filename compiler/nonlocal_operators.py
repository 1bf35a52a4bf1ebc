"""Linear operators that are no derivative of integer order: inert SymPy functions with a Fourier symbol."""

import sympy as sp


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


Nonlocal = (FractionalLaplacian, RieszDerivative)


def fourier_symbol(node: sp.Expr, symbols: dict[sp.Symbol, sp.Symbol]) -> sp.Expr:
    """The operator's multiplier; `symbols` maps each space symbol to its wavenumber."""
    if isinstance(node, FractionalLaplacian):
        square = sp.Add(*(k**2 for k in symbols.values()))
        return square ** node.args[1]
    _, x, beta = node.args
    return -(sp.Abs(symbols[x]) ** beta)
