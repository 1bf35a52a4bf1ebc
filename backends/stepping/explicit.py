"""Explicit Runge–Kutta methods from a tableau, with an embedded error where the tableau has one."""

from dataclasses import dataclass
from typing import Generic

from jax import Array

from nablax.backends.interface import Carry, Parameters, Semidiscretisation, Vector
from nablax.backends.stepping.method import Attempt
from nablax.backends.stepping.tableaus import Tableau
from nablax.backends.stepping.vectors import combination, difference


@dataclass(frozen=True, slots=True)
class ExplicitRungeKutta(Generic[Carry]):
    """The memory is the rate at the step's start where the last stage of the step before gives it."""

    scheme: Semidiscretisation[Carry]
    tableau: Tableau

    @property
    def order(self) -> int:
        return self.tableau.order

    @property
    def error_order(self) -> int:
        return self.tableau.error_order

    @property
    def aided(self) -> bool:
        return False

    def aid(self, h: Array, params: Parameters) -> tuple[()]:
        return ()

    def start(self, t: Array, carry: Carry, params: Parameters) -> Vector:
        return self.scheme.rate(t, carry, params) if self.tableau.first_same_as_last else ()

    def step(
        self, t: Array, carry: Carry, memory: Vector, h: Array, aid: tuple[()], params: Parameters
    ) -> Attempt[Carry, Vector]:
        table = self.tableau
        y = self.scheme.core(carry)
        rates: list[Vector] = []
        last = table.stages - 1
        nodes = [float(c) for c in table.c]
        for i, row in enumerate(table.weights()):
            if i == 0:
                rate = memory if table.first_same_as_last else self.scheme.rate(t, carry, params)
            elif i == last and table.first_same_as_last:
                break
            else:
                stage = combination(y, h, row[:i], rates)
                at = t + nodes[i] * h
                rate = self.scheme.rate(at, self.scheme.embed(at, stage, params), params)
            rates.append(rate)
        after = t + h
        weights = table.solution()
        new = self.scheme.finish(after, combination(y, h, weights[: len(rates)], rates), params)
        new_carry = self.scheme.embed(after, new, params)
        if table.first_same_as_last:
            rates.append(self.scheme.rate(after, new_carry, params))
        error = None if table.embedded is None else difference(h, table.error(), rates)
        return Attempt(new_carry, rates[-1] if table.first_same_as_last else (), error)
