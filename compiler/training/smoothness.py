"""Whether a network has the derivatives that equations and conditions take of it."""

from collections.abc import Iterator

import sympy as sp

from nablax.derivatives.statements import Statement, statements
from nablax.frontend.diagnostics import Note, Report
from nablax.models import Model
from nablax.passes.jets import jets, orders_of
from nablax.problem import Option
from nablax.system import System

ONCE = ("relu",)
"""Activations with a first derivative only: that is constant on either side of a kink."""


def check_smooth(system: System, model: Model, within: int, option: Option | None, report: Report) -> bool:
    """P517 where an activation has one derivative and more are taken, `within` by built-in conditions."""
    if option is None or model.activation not in ONCE:
        return True
    order, statement = max(_orders(system), key=lambda found: found[0], default=(0, None))
    if statement is None or order + within < 2:
        return True
    report.error(
        "P517",
        option.span,
        f"a network with `{model.activation}` has no second derivative, "
        f"and `{statement.name}` needs derivatives of order {order + within}",
        notes=(Note("they stand here", statement.span),),
        help="take `tanh`, `gelu` or another smooth activation",
        given=option.given,
    )
    return False


def _orders(system: System) -> Iterator[tuple[int, Statement]]:
    """The highest derivative in each statement."""
    for statement in statements(system):
        found = {j for value in statement.values for j in jets(value) if isinstance(j, sp.Derivative)}
        orders = (sum(orders_of(jet, system.problem.symbols)) for jet in found)
        yield max(orders, default=0), statement
