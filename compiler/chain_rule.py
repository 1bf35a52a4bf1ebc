"""Slopes of SymPy functions of places whose own derivatives are data."""

from collections.abc import Callable, Sequence

import sympy as sp


def chain_rule(places: Sequence[sp.Expr], symbol: sp.Symbol, slope: Callable[[int], sp.Expr]) -> sp.Expr:
    """Σ_k slope(k) ∂places[k]/∂symbol; `slope` is asked for places that move only."""
    rates = [(k, sp.diff(place, symbol)) for k, place in enumerate(places)]
    return sp.Add(*(rate * slope(k) for k, rate in rates if rate != 0))
