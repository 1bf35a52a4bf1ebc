"""Exported programs as functions: what may run, and how a call is differentiated and batched."""

import re
from collections.abc import Callable, Sequence
from typing import cast

import jax
import jax.numpy as jnp
from jax import Array, export
from jax.custom_batching import sequential_vmap
from jax.tree_util import PyTreeDef

from nablax.backends.artifact.errors import ArtifactError
from nablax.backends.artifact.manifest import Program

Call = Callable[..., object]

_member_by_member: Callable[[Call], Call] = sequential_vmap

_CUSTOM_CALL = re.compile(r"custom_call")
_ALLOWED = re.compile(
    r"stablehlo\.custom_call @(?:"
    r"lapack_\w+|cusolver_\w+|cublas_\w+|cu_\w+|hipsolver_\w+|hipblas_\w+|hip_\w+|"
    r"Cholesky|Eigh|Qr|LuDecomposition|ProductOfElementaryHouseholderReflectors|ApproxTopK|TopK|Sharding|"
    r"annotate_device_placement|shape_assertion"
    r")\("
)
"""Numerical kernels of XLA. Anything else (a Python callback, whose target is an address) does not run."""


def deserialised(data: bytes, entry: Program, platforms: Sequence[str]) -> export.Exported:
    """A member as a program, if it is what its entry says and calls nothing but numerical kernels.

    Raises `ArtifactError`.
    """
    try:
        exported = export.deserialize(bytearray(data))
        modules = [str(exported.mlir_module())]
        if entry.differentiable:
            modules.append(str(exported.vjp().mlir_module()))
        found = signature(exported.in_avals), signature(exported.out_avals), tuple(exported.platforms)
    except Exception as error:  # whatever a stranger's bytes make the readers raise
        raise ArtifactError(f"`{entry.member}` is no program that this JAX reads ({_said(error)})") from None
    if found != (entry.inputs, entry.outputs, tuple(platforms)):
        raise ArtifactError(f"`{entry.member}` takes or returns other than the manifest says")
    for module in modules:
        if len(_CUSTOM_CALL.findall(module)) != len(_ALLOWED.findall(module)):
            raise ArtifactError(f"`{entry.member}` calls something other than numerical kernels", "R732")
    return exported


def signature(avals: Sequence[jax.core.ShapedArray]) -> tuple[str, ...]:
    """Shapes and dtypes as text: `float64[2,3]`."""
    return tuple(f"{a.dtype}[{','.join(map(str, a.shape))}]" for a in avals)


def callable_of(exported: export.Exported, differentiable: bool) -> Call:
    """The program as a function that goes through jit, vmap (member by member) and, if it can, reverse mode.

    `jax.export` has no rule for batches, so that vmap becomes a loop over calls of the program.
    """
    in_tree: PyTreeDef = exported.in_tree
    out_tree: PyTreeDef = exported.out_tree
    run: Call = exported.call

    def flat(*leaves: Array) -> tuple[Array, ...]:
        args, kwargs = jax.tree.unflatten(in_tree, leaves)
        return tuple(jax.tree.leaves(run(*args, **kwargs)))

    forward = _member_by_member(flat)
    function = _with_derivative(flat, forward, exported) if differentiable else forward

    def call(*args: object) -> object:
        leaves, tree = jax.tree.flatten((args, {}))
        if tree != in_tree:
            raise TypeError(f"the program takes {in_tree}, and got {tree}")
        typed = [jnp.asarray(a).astype(v.dtype) for a, v in zip(leaves, exported.in_avals, strict=True)]
        return jax.tree.unflatten(out_tree, cast(tuple[Array, ...], function(*typed)))

    return call


def _with_derivative(flat: Call, forward: Call, exported: export.Exported) -> Call:
    moving = [i for i, a in enumerate(exported.in_avals) if jnp.issubdtype(a.dtype, jnp.inexact)]

    def backward(leaves: tuple[Array, ...], cotangents: tuple[Array, ...]) -> tuple[Array, ...]:
        def of_moving(*values: Array) -> object:
            whole = list(leaves)
            for i, value in zip(moving, values, strict=True):
                whole[i] = value
            return flat(*whole)

        _, pull = jax.vjp(of_moving, *(leaves[i] for i in moving))
        found: tuple[Array, ...] = pull(cotangents)
        return found

    member = _member_by_member(backward)

    @jax.custom_vjp
    def function(*leaves: Array) -> object:
        return forward(*leaves)

    def kept(*leaves: Array) -> tuple[object, tuple[Array, ...]]:
        return forward(*leaves), leaves

    def pulled(leaves: tuple[Array, ...], cotangents: tuple[Array, ...]) -> tuple[Array | None, ...]:
        moved = cast(tuple[Array, ...], member(leaves, cotangents))
        found = dict(zip(moving, moved, strict=True))
        return tuple(found.get(i) for i in range(len(leaves)))

    function.defvjp(kept, pulled)
    return function


def _said(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:120]
