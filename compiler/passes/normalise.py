"""Problem to system: counts, time derivatives isolated, first order in time, terms split."""

from nablax.centre import check_centre
from nablax.frontend.diagnostics import Report
from nablax.passes.balances import balances
from nablax.passes.boundary import boundary_conditions, check_boundary
from nablax.passes.boundary_counts import needs_of
from nablax.passes.coefficients import given, written_out
from nablax.passes.counting import counted, matching
from nablax.passes.divergence import first_order_terms
from nablax.passes.edges import check_fields
from nablax.passes.expansion import checked_values, expand_all
from nablax.passes.initial import initial_values
from nablax.passes.isolation import isolate
from nablax.passes.memory import refuse, remembered, with_memory
from nablax.passes.one_sided import between_walls
from nablax.passes.rates import time_orders, unknowns_of
from nablax.problem import Problem
from nablax.system import Constraint, Evolution, Refusal, System


def normalise(problem: Problem, report: Report) -> System | None:
    """The normal form of a problem without errors; None (and a report) where there is none.

    Unknown fields stand at their start values in it, but for the balances; problems with families of axes
    or with fractional derivatives of fields have balances alone.
    """
    if not check_centre(problem, report):
        return None
    stated, problem = written_out(problem), given(problem)
    expanded = expand_all(problem, report)
    if expanded is None or not checked_values(problem, expanded, report):
        return None
    if not counted(problem, expanded, report):
        return None
    whole = expanded if problem is stated else expand_all(stated, report)
    if whole is None:
        return None
    statements = balances(stated, matching(problem, expanded), whole)
    heights = time_orders(problem, expanded)
    unknowns = unknowns_of(problem, heights)
    problem, expanded = between_walls(problem, expanded)
    memory = remembered(problem, expanded, heights)
    if problem.families or isinstance(memory, Refusal):
        # No terms of a grid; the equations as they stand are all that a residual needs.
        refusal = memory if isinstance(memory, Refusal) else None
        lacking = Report(report.source)
        initial_values(problem, unknowns, lacking)
        if refusal and lacking.failed and not problem.train and max(heights.values()) > 2:
            # Rates that are asked for one after the other would not make a grid take the order.
            refuse(refusal, report)
            return None
        report.diagnostics.extend(lacking.diagnostics)
        return System(stated, unknowns, (), (), (None,) * len(unknowns), (), statements, refusal)
    parts = isolate(problem, memory.expanded, heights, unknowns, report)
    if parts is None:
        return None
    evolution, constraints = parts
    evolution = tuple(with_memory(e, unknowns, memory) for e in evolution)
    initial = initial_values(problem, unknowns, report)
    equations: tuple[Evolution | Constraint, ...] = (*evolution, *constraints)
    needs = needs_of(problem, unknowns, equations)
    boundary = boundary_conditions(problem, unknowns, needs, report)
    if boundary is None or not check_fields(problem, report):
        return None
    # Where no order is above one, how many conditions are right depends on the method: see planning.
    if constraints or not first_order_terms(evolution, tuple(a.symbol for a in problem.axes)):
        check_boundary(problem, unknowns, evolution, constraints, boundary, report)
    return System(stated, unknowns, evolution, constraints, initial, boundary, statements)
