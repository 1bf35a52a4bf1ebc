"""Pointwise terms, arranged so that a right-hand side takes as few Fourier transforms as possible.

One inverse transform per distinct derivative that the fluxes read, one forward transform per distinct
flux: terms of a row under the same derivative are summed at the nodes first, and a flux that several
rows need up to a factor is transformed once (Navier–Stokes in divergence form: 2 + 3 in 2-D, 3 + 6 in 3-D).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.backends.interface import Unsupported
from nablax.integrals import INTEGRALS, at_axis
from nablax.nonlocal_operators import Nonlocal, fourier_symbol
from nablax.passes.jets import jets


@dataclass(frozen=True, slots=True)
class Atom:
    """A nodal array the fluxes read: `symbol` applied to an unknown; `placeholder` stands for it."""

    placeholder: sp.Symbol
    unknown: int
    symbol: sp.Expr


@dataclass(frozen=True, slots=True)
class Demand:
    """row += symbol · F[flux]; `symbol` holds wavenumbers, time and parameters."""

    row: int
    symbol: sp.Expr
    flux: sp.Expr


@dataclass(frozen=True, slots=True)
class Share:
    """row += symbol · F[fluxes[flux]]."""

    row: int
    symbol: sp.Expr
    flux: int


@dataclass(frozen=True, slots=True)
class Products:
    """The fluxes to transform, in placeholders and coordinates, and where each goes."""

    fluxes: tuple[sp.Expr, ...]
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class IntegralTerm:
    """An integral the fluxes read; `jets` are those under it with their placeholders."""

    placeholder: sp.Symbol
    node: sp.Expr
    jets: tuple[tuple[sp.Expr, sp.Symbol], ...]


def _jets_under(node: sp.Expr) -> tuple[sp.Expr, ...]:
    found = {j for part in node.args for j in jets(at_axis(part, node)) if isinstance(j, sp.Expr)}
    return tuple(sorted(found, key=sp.default_sort_key))


class Atoms:
    """Collects the atoms of fluxes while a scheme is built; equal ones are one."""

    def __init__(
        self,
        unknowns: Mapping[AppliedUndef, int],
        complex_unknowns: frozenset[int],
        wavenumbers: Mapping[sp.Symbol, sp.Symbol],
    ) -> None:
        self._unknowns = unknowns
        self._complex = complex_unknowns
        self._wavenumbers = wavenumbers
        self._found: dict[tuple[int, sp.Expr], Atom] = {}
        self._integrals: dict[sp.Expr, sp.Symbol] = {}

    @property
    def found(self) -> tuple[Atom, ...]:
        return tuple(self._found.values())

    def of(self, unknown: int, symbol: sp.Expr) -> sp.Symbol:
        """The placeholder of `symbol` applied to an unknown."""
        key = (unknown, symbol)
        if key not in self._found:
            real = None if unknown in self._complex else True
            self._found[key] = Atom(sp.Symbol(f"atom {len(self._found)}", real=real), unknown, symbol)
        return self._found[key].placeholder

    def replaced(self, flux: sp.Expr) -> sp.Expr:
        """The flux with a placeholder for each derivative, non-local operator or bare unknown."""
        nodes: dict[sp.Basic, sp.Symbol] = {}
        pending: list[sp.Basic] = [flux]
        while pending:
            node = pending.pop()
            if isinstance(node, INTEGRALS):
                nodes[node] = self._integral(node)
            elif isinstance(node, (AppliedUndef, sp.Derivative, *Nonlocal)):
                nodes[node] = self.of(*self._operator(node))
            else:
                pending.extend(node.args)
        return flux.xreplace(nodes)

    def _integral(self, node: sp.Expr) -> sp.Symbol:
        """The placeholder of an integral term, whose own atoms are collected."""
        if node not in self._integrals:
            for jet in _jets_under(node):
                self.replaced(jet)
            self._integrals[node] = sp.Symbol(f"integral {len(self._integrals)}", real=node.is_real)
        return self._integrals[node]

    @property
    def integrals(self) -> tuple["IntegralTerm", ...]:
        """The integral terms found, each after those inside it."""
        return tuple(
            IntegralTerm(symbol, node, tuple((jet, self._placeholder(jet)) for jet in _jets_under(node)))
            for node, symbol in self._integrals.items()
        )

    def _placeholder(self, jet: sp.Expr) -> sp.Symbol:
        return self._integrals[jet] if isinstance(jet, INTEGRALS) else self.of(*self._operator(jet))

    def _operator(self, node: sp.Basic) -> tuple[int, sp.Expr]:
        if isinstance(node, AppliedUndef) and node in self._unknowns:
            return self._unknowns[node], sp.S.One
        if isinstance(node, sp.Derivative):
            unknown, symbol = self._operator(node.expr)
            for variable, count in node.variable_count:
                symbol *= (sp.I * self._wavenumbers[variable]) ** count
            return unknown, symbol
        if isinstance(node, Nonlocal):
            unknown, symbol = self._operator(node.args[0])
            return unknown, symbol * fourier_symbol(node, dict(self._wavenumbers))
        raise Unsupported(f"a flux may hold derivatives of the unknowns only, and holds `{node}`")


def constant_factor(expression: sp.Expr, varying: Sequence[sp.Symbol]) -> tuple[sp.Expr, sp.Expr]:
    """(c, e) with expression = c · e and c free of the varying symbols."""
    c, e = expression.as_independent(*varying, as_Add=False)
    return c, e


def arranged(
    demands: Sequence[Demand], wavenumbers: Sequence[sp.Symbol], varying: Sequence[sp.Symbol]
) -> Products:
    """The cheaper, per group of terms that share fluxes, of: a transform a sum, or a transform a flux.

    `varying` are the symbols whose value differs from node to node: coordinates and placeholders.
    """
    sums: dict[tuple[int, sp.Expr], dict[sp.Expr, sp.Expr]] = {}
    for demand in demands:
        factor, flux = constant_factor(demand.flux, varying)
        scale, operator = demand.symbol.as_independent(*wavenumbers, as_Add=False)
        summed = sums.setdefault((demand.row, operator), {})
        summed[flux] = summed.get(flux, sp.S.Zero) + factor * scale
    fluxes: list[sp.Expr] = []
    shares: list[Share] = []
    for group in _connected(sums):
        distinct = {flux for key in group for flux in sums[key]}
        whole = {key: _up_to_a_factor(sums[key]) for key in group}
        if len({flux for _, flux in whole.values()}) <= len(distinct):
            wanted = [(key, factor, flux) for key, (factor, flux) in whole.items()]
        else:
            wanted = [(key, factor, flux) for key in group for flux, factor in sums[key].items()]
        for (row, operator), factor, flux in wanted:
            if flux not in fluxes:
                fluxes.append(flux)
            shares.append(Share(row, factor * operator, fluxes.index(flux)))
    return Products(tuple(fluxes), tuple(shares))


Key = tuple[int, sp.Expr]


def _connected(sums: Mapping[Key, Mapping[sp.Expr, sp.Expr]]) -> list[list[Key]]:
    groups: list[tuple[list[Key], set[sp.Expr]]] = []
    for key, summed in sums.items():
        members, found = [key], set(summed)
        rest = []
        for other in groups:
            if other[1] & found:
                members, found = other[0] + members, found | other[1]
            else:
                rest.append(other)
        groups = [*rest, (members, found)]
    return [members for members, _ in groups]


def _up_to_a_factor(summed: Mapping[sp.Expr, sp.Expr]) -> tuple[sp.Expr, sp.Expr]:
    ordered = sorted(summed.items(), key=lambda item: sp.default_sort_key(item[0]))
    if len(ordered) == 1:
        return ordered[0][1], ordered[0][0]
    first = ordered[0][1]
    if not all((factor / first).is_number for _, factor in ordered):
        first = sp.S.One  # never divide by a parameter: it may be zero
    return first, sp.Add(*(flux * (factor / first) for flux, factor in ordered))
