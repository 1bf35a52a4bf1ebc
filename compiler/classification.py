"""What kind of problem a system is, in words."""

import numpy as np
import sympy as sp

from nablax.nonlocal_operators import Between, Fourier, exponent
from nablax.notation import text
from nablax.passes.jets import jets, orders_of
from nablax.planning.method import Character, character
from nablax.planning.short_waves import FLAT, Power, ShortWaves, short_waves
from nablax.planning.spectrum import nominal
from nablax.sampling import sample
from nablax.system import Boundary, System, wavenumbers
from nablax.traces import frozen


def classify(system: System) -> tuple[str, ...]:
    """Short statements: order, linearity, how short waves behave, symmetry of the unknowns."""
    nature = character(system)
    found = [_orders(system), _linearity(system, nature)]
    waves = _waves(system)
    if waves:
        found.append(waves)
    if system.constraints and system.evolution:
        names = ", ".join(u.name for u in system.unknowns if u.algebraic)
        found.append(f"constrained: {names} {'has' if ',' not in names else 'have'} no time derivative")
    return tuple(found)


def _orders(system: System) -> str:
    values = nominal(system)
    remembered = dict.fromkeys(m.order for e in system.evolution for m in e.memory)
    if remembered:
        orders = ", ".join(_valued(o, values) for o in remembered)
        time = f"remembers its past: order {orders} in time"
    elif system.time is None:
        time = "steady"
    else:
        time = f"{_ordinal(_time_order(system))} order in time"
    local, nonlocal_order = _space_orders(system, values)
    if nonlocal_order is None:
        space = f"{_ordinal(local)} order in space" if local else "no derivative in space"
    elif local >= nonlocal_order:
        space = f"{_ordinal(local)} order in space, with a nonlocal part of order {nonlocal_order:.3g}"
    else:
        space = f"nonlocal of order {nonlocal_order:.3g} in space"
    return f"{time}, {space}"


def _valued(order: sp.Expr, values: dict[sp.Basic, np.ndarray]) -> str:
    """An order with its value, where parameters alone stand in it."""
    if order.free_symbols and order.free_symbols <= values.keys():
        return f"{text(order)} = {float(sample(order, values)):.3g}"
    return text(order)


def _ordinal(order: int) -> str:
    words = ("no", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
    return words[order] if order < len(words) else f"{order}th"


def _time_order(system: System) -> int:
    depth = 1
    for unknown in system.unknowns:
        height, parent = 1, unknown.rate_of
        while parent is not None:
            height, parent = height + 1, system.unknowns[parent].rate_of
        depth = max(depth, height)
    return depth


def _space_orders(system: System, values: dict[sp.Basic, np.ndarray]) -> tuple[int, float | None]:
    """The highest whole order of derivatives, of the rates too, and the highest of nonlocal operators."""
    space = tuple(a.symbol for a in system.axes)
    local, found = 0, []
    masses = (m for e in system.evolution for m in e.mass)
    for term in (*masses, *(t for terms in system.right_sides for t in terms.linear)):
        local = max(local, sum(term.orders))
        if term.operator is not None:
            found.append(float(sample(exponent(term.operator), values)))
        if term.multiplier != 1:
            low, high = (
                sample(term.multiplier, values | dict.fromkeys(wavenumbers(system), np.asarray(k)))
                for k in (1e3, 1e4)
            )
            found.append(sum(term.orders) + float(np.log10(np.abs(high / low))))
    for jet in {j for terms in system.right_sides for f in terms.nonlinear for j in jets(f.flux)}:
        if isinstance(jet, (*Between, *Fourier)):
            found.append(float(sample(exponent(jet), values)))
        else:
            local = max(local, sum(orders_of(jet, space)))
    return local, max(found, default=None)


def _linearity(system: System, nature: Character) -> str:
    fluxes = [flux.flux for terms in system.right_sides for flux in terms.nonlinear]
    if not fluxes:
        words = "linear" if nature.degree == 0 else "linear with coefficients that vary"
        return (
            words if all(map(_linear, system.boundary)) else f"{words}, with a nonlinear condition on a wall"
        )
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


def _linear(condition: Boundary) -> bool:
    inner, names = frozen(condition.data)
    slopes = (sp.diff(inner, name) for name in names.values())
    return not any(slope.has(*names.values()) for slope in slopes)


def _waves(system: System) -> str | None:
    """How modes of short wavelength behave."""
    waves = short_waves(system)
    if waves is None:
        return None
    words = _behaviour(waves, any(c.unknown is None for c in system.constraints))
    return None if words is None else words + (", at the start" if waves.state else "")


def _behaviour(waves: ShortWaves, projected: bool) -> str | None:
    """In words. A constraint with a multiplier acts everywhere at once: no wave has a speed then."""
    if waves.grows is not None:
        return "ill-posed forward in time: short waves grow without bound"
    damped, oscillates, speeds = waves.damped, waves.oscillates, None if projected else waves.speeds
    if damped is not None and damped.unbounded:
        decay = f"damped like |k|^{_exponent(damped)}"
        slowest = waves.slowest
        who = "are"
        if slowest is None or not slowest.unbounded:
            decay = f"{decay}, others at a bounded rate or not at all"
            who = "some are"
        elif _exponent(slowest) != _exponent(damped):
            decay = f"{decay}, the slowest like |k|^{_exponent(slowest)}"
        if oscillates is not None and oscillates.exponent > max(1 + FLAT, damped.exponent - FLAT):
            return (
                f"dispersive and dissipative: short waves oscillate like |k|^{_exponent(oscillates)} and "
                f"{who} {decay}"
            )
        if speeds is not None and damped.exponent < 1 + FLAT:
            return f"hyperbolic and dissipative: waves travel {_speed(waves, speeds)} and {who} {decay}"
        if who == "are":
            return f"dissipative: short waves are {decay}"
        return f"dissipative in part: some short waves are {decay}"
    decay = "" if damped is None else f" and decay {_rate(damped, waves.slowest)}"
    also = "" if damped is None else " and damped"
    if speeds is not None:
        length = "short waves" if waves.longer else "waves"
        if waves.defective:
            kind = f"weakly hyperbolic: {length} travel {_speed(waves, speeds)}"
            return f"{kind}, and some of one speed feed each other"
        return f"hyperbolic{also}: {length} travel {_speed(waves, speeds)}{decay}"
    if oscillates is not None and abs(oscillates.exponent - 1) > FLAT:
        return f"dispersive{also}: short waves oscillate like |k|^{_exponent(oscillates)}{decay}"
    return None if damped is None or oscillates is not None else f"damped: short waves{decay[4:]}"


def _exponent(law: Power) -> str:
    return f"{round(law.exponent, 2):g}"


def _speed(waves: ShortWaves, speeds: tuple[float, float]) -> str:
    low, high = speeds
    if high - low <= 1e-3 * high:
        return f"at {high:.3g}"
    return f"at up to about {high:.3g}" if waves.sampled else f"at {low:.3g} to {high:.3g}"


def _rate(damped: Power, slowest: Power | None) -> str:
    even = slowest is not None and abs(slowest.size - damped.size) <= 1e-3 * damped.size
    return f"at the rate {damped.size:.3g}" if even else f"at rates up to {damped.size:.3g}"
