"""Which part of a step takes each term: exactly, implicitly or explicitly. Schemes ask here."""

from nablax.plan import PROPAGATED, Claim, Method, StepperName, Treatment
from nablax.system import Evolution, LinearTerm, System, root_of

WHOLE: tuple[StepperName, ...] = ("l1", "l21sigma", "cq")
"""Steppers for derivatives that remember the past: what is linear with coefficients constant in time is
solved directly, the rest by Newton's method."""
STIFF_ORDER = 2  # derivatives from this order on are worth an implicit solve


def has_symbol(system: System, term: LinearTerm) -> bool:
    """Whether a spectral method takes a linear term in modes: its coefficient depends on neither space nor
    time, or it is the operator whose eigenfunctions are the modes."""
    if term.operator is not None:
        return True
    moving = {a.symbol for a in system.axes} | ({system.time.symbol} if system.time else set())
    return not term.coefficient.free_symbols & moving


def is_stiff(system: System, equation: Evolution, term: LinearTerm) -> bool:
    """Whether an additive stepper on a grid takes a linear term implicitly.

    Second derivatives and higher, and operators between walls, are, with coefficients (of the term and of the
    conditions on its unknown) that do not depend on time, unless a constraint determines their unknown; so
    are the definitions of rates, without which a stiff equation of second order in time would not be implicit
    at all.
    """
    if system.time is None or term.coefficient.has(system.time.symbol):
        return False
    if system.unknowns[term.unknown].algebraic:
        return False
    conditions = (b for b in system.boundary if b.unknown == term.unknown)
    if any(t.coefficient.has(system.time.symbol) for b in conditions for t in b.terms):
        return False
    if system.has_memory and root_of(term.unknown, system.unknowns) == root_of(
        equation.unknown, system.unknowns
    ):
        return True  # steps with memory solve for all that a field does to itself
    definition = system.unknowns[term.unknown].rate_of == equation.unknown and not any(term.orders)
    return sum(term.orders) >= STIFF_ORDER or term.operator is not None or definition


def claims(system: System, method: Method, stepper: StepperName) -> tuple[Claim, ...]:
    """One claim per term of every evolution equation."""
    found: list[Claim] = []
    for i, equation in enumerate(system.evolution):
        terms = equation.terms
        for k, term in enumerate(terms.linear):
            found.append(Claim(i, "linear", k, _linear(system, method, stepper, equation, term), term.span))
        rest = _rest(stepper)
        found += [Claim(i, "nonlinear", k, rest, t.span) for k, t in enumerate(terms.nonlinear)]
        found += [Claim(i, "forcing", k, rest, t.span) for k, t in enumerate(terms.forcing)]
    return tuple(found)


def _rest(stepper: StepperName) -> Treatment:
    if stepper in PROPAGATED:
        return "exact"
    return "implicit" if stepper in ("implicit", *WHOLE) else "explicit"


def _linear(
    system: System, method: Method, stepper: StepperName, equation: Evolution, term: LinearTerm
) -> Treatment:
    if stepper in PROPAGATED:
        return "exact"
    if stepper in ("etdrk4", "etdrk2"):
        return "exact" if has_symbol(system, term) else "explicit"
    if stepper in ("implicit", *WHOLE):
        return "implicit"
    if stepper == "imex":
        held = has_symbol(system, term) if method == "spectral" else is_stiff(system, equation, term)
        return "implicit" if held else "explicit"
    return "explicit"
