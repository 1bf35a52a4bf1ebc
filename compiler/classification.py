"""What kind of problem a system is, in words."""

import numpy as np

from nablax.notation import text
from nablax.passes.jets import jets, orders_of
from nablax.planning.method import Character, character
from nablax.planning.spectrum import eigenvalues, exact_symbol, linearise
from nablax.system import System


def classify(system: System) -> tuple[str, ...]:
    """Short statements: order, linearity, how short waves behave, symmetry of the unknowns."""
    nature = character(system)
    found = [_orders(system, nature), _linearity(system, nature)]
    waves = _waves(system, nature)
    if waves:
        found.append(waves)
    if system.constraints and system.evolution:
        names = ", ".join(u.name for u in system.unknowns if u.algebraic)
        found.append(f"constrained: {names} {'has' if ',' not in names else 'have'} no time derivative")
    return tuple(found)


def _orders(system: System, nature: Character) -> str:
    words = ("no", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
    space = max(nature.constant, nature.variable)
    depth = 0 if system.time is None else 1
    for unknown in system.unknowns:
        height, parent = 1, unknown.rate_of
        while parent is not None:
            height, parent = height + 1, system.unknowns[parent].rate_of
        depth = max(depth, height) if not unknown.algebraic else depth
    time = words[depth] if depth < len(words) else f"{depth}th"
    remembered = dict.fromkeys(text(m.order) for e in system.evolution for m in e.memory)
    if remembered:
        space_words = f"{words[space] if space < len(words) else f'{space}th'} order in space"
        return f"remembers its past: order {', '.join(remembered)} in time, {space_words}"
    if space == 0 and nature.nonlocal_span is not None:
        return f"{time} order in time, nonlocal in space"
    place = words[space] if space < len(words) else f"{space}th"
    return f"{time} order in time, {place} order in space"


def _linearity(system: System, nature: Character) -> str:
    fluxes = [flux.flux for terms in system.right_sides for flux in terms.nonlinear]
    if not fluxes:
        return "linear" if nature.degree == 0 else "linear with coefficients that vary"
    space = tuple(a.symbol for a in system.axes)
    top = max(nature.constant, nature.variable)
    steep = False
    for flux in fluxes:
        high = [j for j in jets(flux) if top and sum(orders_of(j, space)) == top]
        steep = steep or bool(high)
        if any(flux.diff(jet).has(*high) for jet in high):
            return "fully nonlinear in its highest derivatives"
    if steep:
        return (
            "quasilinear: the highest derivatives stand linearly, with coefficients that depend on the fields"
        )
    return "semilinear: the highest derivatives are linear"


def _waves(system: System, nature: Character) -> str | None:
    """How modes of short wavelength behave, from the eigenvalues of the linear symbol.

    Nothing is said of equations with memory, whose modes are no exponentials of the time.
    """
    if any(e.memory for e in system.evolution):
        return None
    frozen = linearise(system, 1)
    spans = {t.span for e in system.evolution for t in e.terms.linear}
    linear = frozen.keeping(e for e in frozen.entries if e.span in spans)
    if not any(e.moves for e in linear.entries):
        return None
    rates, speeds = [], []
    for k in (1e3, 1e4):
        modes = [np.array([2 * np.pi * k if a == 0 else 0.0]) for a in range(len(system.axes))]
        values = eigenvalues(system, linear, modes, exact_symbol).ravel()
        rates.append((float(values.real.min()), float(values.real.max())))
        speeds.append(float(np.abs(values.imag).max()))
    damped = rates[1][0] < 0 and rates[1][0] < 3 * rates[0][0] < 0
    if rates[1][1] > 1e-6 * speeds[1] and rates[1][1] > 3 * rates[0][1] > 0:
        return "ill-posed forward in time: short waves grow without bound"
    if damped:
        power = np.log10(rates[1][0] / rates[0][0])
        return f"dissipative: short waves are damped like |k|^{power:.3g}"
    if speeds[0] > 0 and speeds[1] > 3 * speeds[0]:
        power = np.log10(speeds[1] / speeds[0])
        if abs(power - 1) < 0.05:
            return f"hyperbolic in its linear part: waves travel at {speeds[1] / (2 * np.pi * 1e4):.3g}"
        return f"dispersive: short waves oscillate like |k|^{power:.3g}"
    return None
