"""How a steady problem is solved, and what fixes the constants that its equations leave free."""

from nablax.frontend.diagnostics import Report
from nablax.passes.carried import carried_alone
from nablax.passes.determination import free_constants
from nablax.passes.interval import interval_form
from nablax.plan import Choice, Method, Stepping
from nablax.planning.settings import Settings
from nablax.planning.solvability import Verdict, check_solvable
from nablax.planning.transport import check_determined, check_guess, check_jumps
from nablax.system import System

DOUBLE, SINGLE = 1e-10, 1e-5  # relative tolerance of the fields by default


def choose_iteration(
    system: System, method: Method, settings: Settings, choices: list[Choice], report: Report
) -> Stepping | None:
    """Newton's method with its tolerance; None where the spec asks for steps in time."""
    for name in ("step", "dt", "every"):
        if name in settings.places:
            report.error(
                "P401",
                settings.places[name],
                f"`{name}` is about steps in time, and the problem is steady",
                notes=settings.origin(name),
                help="remove it, or add a `time` block and a time derivative",
            )
    carried = method == "fd" and carried_alone(system) is not None
    if method == "fd" and not system.evolution:
        check_determined(system, free_constants(system), report)
    if carried:
        check_jumps(system, report)
        check_guess(system, report)
    if report.failed:
        return None
    linear = not any(c.terms.nonlinear for c in system.constraints)
    how = "the fast transform" if method == "spectral" else "fast diagonalisation"
    if method == "spectral" and any(not a.periodic for a in system.axes):
        how = "the eigenfunctions"
    whole = "the whole matrix of the differences decomposed"
    line = method == "fd" and len(system.axes) == 1
    if carried or (line and not linear):
        how = whole
    if interval_form(system) is not None and method == "spectral":
        choices.append(Choice("solve", "linear", "one dense solve for the coefficients of the polynomials"))
    elif linear and carried:
        choices.append(Choice("solve", "linear", f"one solve: {how}"))
    elif linear:
        rest = f"or {whole} if need be" if line else "as a preconditioner of GMRES if need be"
        choices.append(Choice("solve", "linear", f"one solve: {how}, {rest}"))
    else:
        reason = f"nonlinear: damped, its corrections by GMRES preconditioned with {how}"
        choices.append(Choice("solve", "newton", reason))
    tol = settings.tol or (SINGLE if settings.dtype == "float32" else DOUBLE)
    choices.append(
        Choice("tol", f"{tol:g}", "asked for" if settings.tol else "of the fields", settings.tol is not None)
    )
    mean_choices(system, choices, report)
    return Stepping("newton", 0, None, tol, tol)


def mean_choices(system: System, choices: list[Choice], report: Report) -> None:
    """What fixes each free constant, and whether the data leave a solution to it."""
    free = free_constants(system)
    verdicts = check_solvable(system, free, report)
    unknown = _AT_REST if system.time is None else _MOVING
    said = {**_VERDICTS, "unknown": unknown}
    for i in free:
        choices.append(
            Choice(
                f"mean of {system.unknowns[i].name}",
                "0",
                f"equations and conditions hold its derivatives only; {said[verdicts[i]]}",
            )
        )


_VERDICTS: dict[Verdict, str] = {
    "compatible": "the data are compatible: sources and walls cancel, checked by quadrature",
    "not compatible": "the data are not compatible: sources and walls do not cancel",
}
_AT_REST = "the data have to be compatible, which is checked as it is solved"
_MOVING = "what sources and walls leave on average is taken from the sources at every time"
