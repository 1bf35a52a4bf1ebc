"""From a plan to what solves it."""

from nablax.backends import solver, steady
from nablax.backends.solver import Solver
from nablax.backends.steady import SteadySolver
from nablax.plan import Plan


def build(plan: Plan) -> Solver | SteadySolver:
    """The solver of a plan, one without steps for a steady one. Raises `Unsupported`."""
    return steady.build(plan) if plan.system.time is None else solver.build(plan)
