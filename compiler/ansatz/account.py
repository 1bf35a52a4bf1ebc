"""What is built into a network, as formulas."""

from collections.abc import Iterator

import sympy as sp

from nablax import notation
from nablax.ansatz.derive import Ansatz
from nablax.problem import Problem


def account(problem: Problem, ansatz: Ansatz) -> Iterator[str]:
    """`u = sin(pi*x) + t*N_u` with the network's output N_u, for each component; then what is left."""
    networks: dict[sp.Basic, sp.Expr] = {}
    for stand_in, (value, orders) in ansatz.derivatives.items():
        output = sp.Function(f"N_{value.func.__name__}")(*value.args)
        counts = [(x, n) for x, n in zip(problem.symbols, orders, strict=True) if n]
        networks[stand_in] = sp.Derivative(output, *counts) if counts else output
    for component in problem.components:
        yield f"{component.name} = {notation.text(ansatz.values[component.value].xreplace(networks))}"
    if ansatz.periodic:
        axes = ", ".join(axis.name for axis, _ in ansatz.periodic)
        yield f"the network is periodic along {axes}"
    for name, reason in ansatz.left:
        yield f"{name} is a term of the loss: {reason}"
