"""Steady equations whose matrix may be singular, or whose data differences spread: said before a solve."""

from collections.abc import Iterator, Sequence

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.continuity import may_jump
from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.nonlocal_operators import Nonlocal
from nablax.notation import text
from nablax.passes import jets
from nablax.passes.carried import carriers, turns
from nablax.system import System


def check_determined(system: System, free: Sequence[int], report: Report) -> None:
    """P326: one of the unknowns `free`, of which derivatives alone are known, lacks more than a constant.

    Without a derivative along an axis any function of it may be added. Where a field is carried, and no wall
    gives its value, it is any function that is constant along characteristics.
    """
    carried = carriers(system.problem, system.unknowns, system.constraints)
    for unknown in free:
        field = system.unknowns[unknown]
        flat = [a.name for k, a in enumerate(system.axes) if not _differentiated(system, unknown, k)]
        if not flat and (unknown not in carried or len(system.axes) == 1):
            continue
        rest = f"a function of {', '.join(flat)}" if flat else "a function on its characteristics"
        report.error(
            "P326",
            next((c.span for c in system.constraints if c.unknown == unknown), field.span),
            f"`{field.name}` is determined up to {rest} only",
            label="only derivatives of it stand in it",
            help=f"state the value of `{field.name}` on a wall, or add a term that holds it",
        )


def _differentiated(system: System, unknown: int, axis: int) -> bool:
    """Whether an equation holds a derivative of an unknown along an axis, or a nonlocal operator on it."""
    space = tuple(a.symbol for a in system.axes)
    value = system.unknowns[unknown].value
    for terms in system.right_sides:
        for term in terms.linear:
            if term.unknown == unknown and (term.orders[axis] or not term.local):
                return True
        for flux in terms.nonlinear:
            for jet in jets.jets_of(value, flux.flux):
                if isinstance(jet, Nonlocal) or jets.orders_of(jet, space)[axis]:
                    return True
    return False


def check_guess(system: System, report: Report) -> None:
    """P425: at the first guess of a nonlinear solve, nothing carries a field that has to be carried.

    The equations linearised there say nothing of its derivative, and their matrix is singular, or nearly so.
    """
    guess = {
        unknown.value: sp.S.Zero if value is None else value
        for unknown, value in zip(system.unknowns, system.initial, strict=True)
    }
    for index, speeds in carriers(system.problem, system.unknowns, system.constraints).items():
        given = [b for b in system.boundary if b.unknown == index and b.dirichlet]
        for condition in given:
            speed = speeds[condition.axis]
            if not speed.has(AppliedUndef):
                continue
            found = speed.xreplace(guess).doit()
            if found.has(AppliedUndef) or not turns(system.problem, found):
                continue
            name, axis = system.unknowns[index].name, system.axes[condition.axis].name
            own = text(condition.data / condition.terms[0].coefficient)
            began = "0" if system.initial[index] is None else text(guess[system.unknowns[index].value])
            begins = "no `initial` gives one, so it is 0" if began == "0" else f"it is {began}"
            what = "is 0" if found == 0 else "vanishes or turns round"
            report.warning(
                "P425",
                next((c.span for c in system.constraints if c.unknown == index), condition.span),
                f"nothing carries `{name}` along {axis} where Newton's method begins: the factor of "
                f"`d{axis}({name})` {what} at the first guess",
                notes=(Note(f"the first guess of `{name}`: {begins}"),),
                help=f"give values that flow in one direction, such as `initial {{ {name} = {own} }}`"
                if own != began
                else f"give values in `initial` at which the factor of `d{axis}({name})` has one sign",
            )
            break


def check_jumps(system: System, report: Report) -> None:
    """P424: data of a steady equation of first order may jump, and central differences spread that."""
    for value, span in _data(system):
        axis = next((a for a in system.axes if may_jump(value, a.symbol)), None)
        if axis is not None:
            report.warning(
                "P424",
                span,
                f"data may jump along {axis.name}, and central differences spread the error of a jump over "
                "the domain",
                help=f"replace the jump by a slope over some cells, such as `tanh(({axis.name} - c)/w)`, or "
                "use `order = 2` and more points",
            )
            return


def _data(system: System) -> Iterator[tuple[sp.Expr, Span]]:
    """Coefficients, sources and what walls prescribe, as functions of the coordinates alone."""
    for terms in system.right_sides:
        for term in terms.linear:
            yield term.coefficient, term.span
        for flux in (*terms.nonlinear, *terms.forcing):
            yield flux.flux.xreplace(jets.stand_ins(flux.flux)), flux.span
    for condition in system.boundary:
        yield condition.data, condition.span
