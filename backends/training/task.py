"""What is trained: a field, its losses, and the map from what the optimiser moves to its parameters."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from nablax.backends.networks.build import build_field
from nablax.backends.residuals.build import build_losses
from nablax.backends.residuals.field import Field, PyTree
from nablax.backends.residuals.losses import Losses, ResidualVector
from nablax.backends.training.first_fit import fitted
from nablax.backends.training.marching import field_of
from nablax.backends.training.unknowns import Bounds, bounds_of
from nablax.system import System
from nablax.training.records import Training
from nablax.training.windows import Window, windows_of


@dataclass(frozen=True, slots=True)
class Task:
    """One window of a training run as functions; nothing in it changes while it goes on.

    `course` has all windows of the run, `before` the parameters of those that are done.
    """

    course: tuple[Window, ...]
    before: tuple[PyTree, ...]
    training: Training
    field: Field
    losses: Losses
    vector: ResidualVector
    bounds: Bounds

    @property
    def window(self) -> int:
        return len(self.before)

    @property
    def system(self) -> System:
        """That of the window."""
        return self.course[self.window].system

    @property
    def key(self) -> Array:
        """Where all that is random in the window comes from."""
        key = jax.random.key(self.training.seed)
        return jax.random.fold_in(key, self.window) if self.window else key

    @property
    def places(self) -> tuple[str, ...]:
        """Those that have a loss: what holds by construction has none."""
        return tuple(p for p, e in self.losses.places.items() if e.needs.statements)

    @property
    def sampled(self) -> bool:
        """Whether residuals are drawn at random and want a key."""
        return any(e.random for e in self.losses.places.values())

    def start(self, key: Array) -> PyTree:
        """Parameters free of bounds, for an ensemble with a leading axis of members: those that the window
        before ends with, fresh ones in the first."""
        if self.before:
            return self.bounds.free(self.before[-1])
        members = self.training.ensemble
        if members == 1:
            return self._fresh(key)
        return jax.vmap(self._fresh)(jax.random.split(key, members))

    def _fresh(self, key: Array) -> PyTree:
        field = build_field(self.system.problem, self.training.model, key)
        params = field.params
        if self.training.phases[0].optimiser == "lm" and not self.training.model.factorised:
            params = scattered(params, jax.random.fold_in(key, 1))
        params = cast(params, self.training.dtype)
        if self.training.model.architecture == "pirate":
            params = fitted(self.field, params, jax.random.fold_in(key, 2))
        return self.bounds.free(params)


def make_task(system: System, training: Training) -> Task:
    """The task of the first window. Raises `SpecError` where a statement has no residual."""
    return task_of(windows_of(system, training), training, ())


def task_of(course: tuple[Window, ...], training: Training, before: tuple[PyTree, ...]) -> Task:
    """The task of the window that comes after those whose parameters are given."""
    field = field_of(course, training.model, before)
    system = course[len(before)].system
    losses = build_losses(system, field, None)
    vector = ResidualVector(field, losses.places)
    return Task(course, before, training, field, losses, vector, bounds_of(system.problem))


def cast(tree: PyTree, dtype: str) -> PyTree:
    """Real arrays in the precision of the run."""
    return jax.tree.map(
        lambda a: jnp.asarray(a, dtype) if jnp.issubdtype(jnp.asarray(a).dtype, jnp.floating) else a, tree
    )


def scattered(params: PyTree, key: Array) -> PyTree:
    """Biases [n] drawn from [-1, 1]: the bends of a small network spread over the domain.

    With zeros, every unit of the first layer bends on a plane through the origin.
    """
    leaves, tree = jax.tree.flatten(params)
    keys = jax.random.split(key, max(len(leaves), 1))
    spread = [
        jax.random.uniform(k, leaf.shape, leaf.dtype, -1, 1) if jnp.ndim(leaf) == 1 else leaf
        for k, leaf in zip(keys, leaves, strict=True)
    ]
    return jax.tree.unflatten(tree, spread)
