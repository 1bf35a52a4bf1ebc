"""A system on a periodic box, sorted by what each part does: all in expressions, nothing evaluated.

    M dy/dt = L y + B q + G p + N(y, q) + f        evolution
          0 = C y + Q q + N(y) + f                 determines the potentials q      (index 1)
          0 = D y + h                              its multipliers are p            (index 2)

Which unknown is a potential and which a multiplier follows from where it stands: a multiplier occurs
in no constraint, its constraint holds evolving unknowns only (a pressure, and the divergence).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sympy as sp

from nablax.backends.interface import Unsupported
from nablax.backends.spectral.products import (
    Atom,
    Atoms,
    Demand,
    IntegralTerm,
    Products,
    arranged,
    constant_factor,
)
from nablax.backends.spectral.symbols import derivative_symbol, term_symbol
from nablax.system import Evolution, FluxTerm, LinearTerm, System, Terms, wavenumbers

Symbols = tuple[tuple[sp.Expr, ...], ...]
"""A matrix of Fourier symbols; a structural zero is SymPy's 0."""


@dataclass(frozen=True, slots=True)
class Force:
    """row += symbol · F[flux], the flux a function of the coordinates only: its transform is constant."""

    row: int
    symbol: sp.Expr
    flux: sp.Expr


@dataclass(frozen=True, slots=True)
class Rows:
    """What is not linear with constant coefficients in a group of equations."""

    products: Products
    forces: tuple[Force, ...]


@dataclass(frozen=True, slots=True)
class Structure:
    """Index lists speak of `system.unknowns`; matrices follow those lists.

    `commuting` is the one symbol that L has on every unknown under an index-2 constraint, if it has one
    there: then the projection commutes with L, and L stays diagonal.
    """

    system: System
    evolving: tuple[int, ...]
    potentials: tuple[int, ...]
    multipliers: tuple[int, ...]
    mass: Symbols
    linear: Symbols
    from_potentials: Symbols
    gradient: Symbols
    potential_of: Symbols
    potential: Symbols
    divergence: Symbols
    atoms: tuple[Atom, ...]
    integrals: tuple[IntegralTerm, ...]
    evolution: Rows
    algebra: Rows
    held: Rows
    held_rate: Rows
    commuting: sp.Expr | None


def structure_of(system: System) -> Structure:
    """Sort the system; raises `Unsupported` where a Fourier method has no meaning for it."""
    evolution = sorted(system.evolution, key=lambda e: e.unknown)
    evolving = tuple(e.unknown for e in evolution)
    k = wavenumbers(system)
    varying = _Varying(system)
    algebraic = [i for i, u in enumerate(system.unknowns) if u.algebraic]
    constraint_terms = [c.terms for c in system.constraints]
    seen = {t.unknown for terms in constraint_terms for t in terms.linear}
    potentials = tuple(i for i in algebraic if i in seen)
    multipliers = tuple(i for i in algebraic if i not in seen)
    algebra = [c for c in system.constraints if any(t.unknown in potentials for t in c.terms.linear)]
    holding = [c for c in system.constraints if c not in algebra]
    if len(algebra) != len(potentials) or len(holding) != len(multipliers):
        span = system.constraints[0].span if system.constraints else None
        raise Unsupported(
            f"{len(system.constraints)} constraints do not determine the unknowns without a time derivative: "
            f"{len(potentials)} stand in {len(algebra)} of them, {len(multipliers)} multiply the other "
            f"{len(holding)}",
            span,
        )
    for c in holding:
        if c.terms.nonlinear or any(varying.coefficient(t) for t in c.terms.linear):
            raise Unsupported(
                "a constraint with a multiplier must be linear with constant coefficients", c.span
            )

    atoms = Atoms(
        {u.value: i for i, u in enumerate(system.unknowns)},
        frozenset(i for i, u in enumerate(system.unknowns) if u.complex),
        {a.symbol: w for a, w in zip(system.axes, k, strict=True)},
    )
    for e in evolution:
        if any(varying.coefficient(t) for t in e.mass):
            raise Unsupported("the coefficient of a time derivative must be constant here", e.span)
    rows = [e.terms for e in evolution]
    explicit = _rows(rows, atoms, varying, k)
    in_algebra = _rows([c.terms for c in algebra], atoms, varying, k)
    held = _rows([c.terms for c in holding], atoms, varying, k)
    held_rate = _rows([_in_time(c.terms, varying) for c in holding], atoms, varying, k)
    used = {a.unknown for a in atoms.found}
    if used & set(multipliers):
        bad = system.unknowns[min(used & set(multipliers))]
        raise Unsupported(
            f"the multiplier `{bad.name}` must enter linearly with constant coefficients", bad.span
        )

    mass = tuple(_row(e.mass, evolving, k, varying) for e in evolution)
    linear = tuple(_row(t.linear, evolving, k, varying) for t in rows)
    from_potentials = tuple(_row(t.linear, potentials, k, varying) for t in rows)
    divergence = tuple(_row(c.terms.linear, evolving, k, varying) for c in holding)
    return Structure(
        system=system,
        evolving=evolving,
        potentials=potentials,
        multipliers=multipliers,
        mass=mass,
        linear=linear,
        from_potentials=from_potentials,
        gradient=tuple(_row(t.linear, multipliers, k, varying) for t in rows),
        potential_of=tuple(_row(c.terms.linear, evolving, k, varying) for c in algebra),
        potential=tuple(_row(c.terms.linear, potentials, k, varying) for c in algebra),
        divergence=divergence,
        atoms=atoms.found,
        integrals=atoms.integrals,
        evolution=explicit,
        algebra=in_algebra,
        held=held,
        held_rate=held_rate,
        commuting=_commuting(evolution, mass, linear, from_potentials, divergence),
    )


class _Varying:
    """Which symbols make a coefficient vary in space or time."""

    def __init__(self, system: System) -> None:
        self.space = tuple(a.symbol for a in system.axes)
        self.time = None if system.time is None else system.time.symbol
        self._all = frozenset(self.space if self.time is None else (*self.space, self.time))

    def coefficient(self, term: LinearTerm) -> bool:
        return bool(term.coefficient.free_symbols & self._all)


def _row(
    terms: Iterable[LinearTerm], columns: Sequence[int], k: Sequence[sp.Symbol], varying: _Varying
) -> tuple[sp.Expr, ...]:
    row = dict.fromkeys(columns, sp.S.Zero)
    for term in terms:
        if term.unknown in row and not varying.coefficient(term):
            row[term.unknown] += term_symbol(term, k)
    return tuple(row[c] for c in columns)


def _rows(rows: Sequence[Terms], atoms: Atoms, varying: _Varying, k: Sequence[sp.Symbol]) -> Rows:
    demands: list[Demand] = []
    forces: list[Force] = []
    for i, terms in enumerate(rows):
        for term in terms.linear:
            if varying.coefficient(term):
                symbol = derivative_symbol(term.orders, k) * term.multiplier
                flux = term.coefficient * atoms.of(term.unknown, symbol)
                demands.append(Demand(i, sp.S.One, flux))
        for product in terms.conservative:
            symbol = product.coefficient * derivative_symbol(product.orders, k)
            demands.append(Demand(i, symbol, atoms.replaced(product.flux)))
        for force in terms.forcing:
            _sort_force(i, force, varying, k, demands, forces)
    placeholders = (*(a.placeholder for a in atoms.found), *(i.placeholder for i in atoms.integrals))
    nodal = (*varying.space, *placeholders)
    return Rows(arranged(demands, k, nodal), tuple(forces))


def _in_time(terms: Terms, varying: _Varying) -> Terms:
    """The time derivative of a forcing."""
    if varying.time is None:
        return Terms()
    forcing = []
    for f in terms.forcing:
        forcing.append(FluxTerm(sp.diff(f.coefficient, varying.time), f.orders, f.flux, f.span))
        forcing.append(FluxTerm(f.coefficient, f.orders, sp.diff(f.flux, varying.time), f.span))
    return Terms(forcing=tuple(f for f in forcing if f.coefficient != 0 and f.flux != 0))


def _sort_force(
    row: int,
    term: FluxTerm,
    varying: _Varying,
    k: Sequence[sp.Symbol],
    demands: list[Demand],
    forces: list[Force],
) -> None:
    symbol = term.coefficient * derivative_symbol(term.orders, k)
    for part in sp.Add.make_args(term.flux):
        factor, flux = constant_factor(part, varying.space)
        if varying.time is not None and flux.has(varying.time):
            demands.append(Demand(row, symbol, part))
        else:
            forces.append(Force(row, symbol * factor, flux))


def _commuting(
    evolution: Sequence[Evolution],
    mass: Symbols,
    linear: Symbols,
    from_potentials: Symbols,
    divergence: Symbols,
) -> sp.Expr | None:
    if not divergence:
        return None
    under = [j for j in range(len(evolution)) if any(row[j] != 0 for row in divergence)]
    symbol = linear[under[0]][under[0]] if under else sp.S.Zero
    for i in under:
        plain = all(mass[i][j] == (1 if i == j else 0) for j in range(len(evolution)))
        alone = all(linear[i][j] == 0 for j in range(len(evolution)) if j != i)
        if not (plain and alone and all(b == 0 for b in from_potentials[i])):
            return None
        if sp.expand(linear[i][i] - symbol) != 0:
            return None
    return symbol
