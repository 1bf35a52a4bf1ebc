"""What a one-step method is to the loops that drive it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from jax import Array

from nablax.backends.interface import Parameters, Vector

Aid = TypeVar("Aid")
"""What a method computes from the step size alone (exponential coefficients), as a pytree."""
Memory = TypeVar("Memory")
"""What a method keeps from the step before (the last stage of a FSAL pair), as a pytree."""
Carry = TypeVar("Carry")


class Attempt(NamedTuple, Generic[Carry, Memory]):
    """A step tried: the carried state and memory after it, and its estimated local error."""

    carry: Carry
    memory: Memory
    error: Vector | None


class Method(Protocol[Carry, Aid, Memory]):
    """One step from t to t + h. Pure; every argument but self is a pytree of arrays.

    `order` is the order of the solution that is carried on, `error_order` that of the embedded one (0
    for a method without).
    """

    @property
    def order(self) -> int: ...

    @property
    def error_order(self) -> int: ...

    @property
    def aided(self) -> bool:
        """Whether `aid` computes anything."""
        ...

    def aid(self, h: Array, params: Parameters) -> Aid: ...

    def start(self, t: Array, carry: Carry, params: Parameters) -> Memory: ...

    def step(
        self, t: Array, carry: Carry, memory: Memory, h: Array, aid: Aid, params: Parameters
    ) -> Attempt[Carry, Memory]: ...


@dataclass(frozen=True, slots=True)
class Memoryless(Generic[Carry]):
    """A method that is its step alone: nothing kept between steps, nothing computed from h alone."""

    attempt: Callable[[Array, Carry, Array, Parameters], Attempt[Carry, tuple[()]]]
    order: int
    error_order: int

    @property
    def aided(self) -> bool:
        return False

    def aid(self, h: Array, params: Parameters) -> tuple[()]:
        return ()

    def start(self, t: Array, carry: Carry, params: Parameters) -> tuple[()]:
        return ()

    def step(
        self, t: Array, carry: Carry, memory: tuple[()], h: Array, aid: tuple[()], params: Parameters
    ) -> Attempt[Carry, tuple[()]]:
        return self.attempt(t, carry, h, params)
