"""Trained fields in files: the container of compiled solvers with one program, points to components."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array, export
from jax.typing import ArrayLike

from nablax.backends.artifact.calls import callable_of, deserialised, signature
from nablax.backends.artifact.container import Container, pack, read_bytes
from nablax.backends.artifact.errors import ArtifactError
from nablax.backends.artifact.manifest import Program
from nablax.backends.artifact.records import decode, encode
from nablax.backends.precision import precise
from nablax.plan import Dtype

FORMAT = 1
PLATFORMS = ("cpu", "cuda", "tpu")
MEMBER = "programs/field"


@dataclass(frozen=True, slots=True)
class FieldAxis:
    """A coordinate of a trained field and the interval it was trained on."""

    name: str
    lower: float
    upper: float
    size: int
    periodic: bool


@dataclass(frozen=True, slots=True)
class FieldManifest:
    """Everything about a trained field that is not its program. `unknowns` are recovered values."""

    format: int
    kind: Literal["field"]
    nablax: str
    jax: str
    platforms: tuple[str, ...]
    spec: str
    spec_sha256: str
    dtype: Dtype
    axes: tuple[FieldAxis, ...]
    components: tuple[str, ...]
    unknowns: tuple[tuple[str, float], ...]
    steps: int
    program: Program


@dataclass(frozen=True, slots=True, repr=False)
class TrainedField:
    """fields = field(points): each component of the points' shape, by name.

    `points` is a mapping of axis names to equally shaped arrays, or one array [..., axes], space axes in
    declared order, then time. Goes through jit, vmap and reverse mode. Needs neither SymPy nor lark.
    Outside of the domain, whatever the network says there comes back.
    """

    manifest: FieldManifest
    call: Callable[..., object]

    def __call__(self, points: Mapping[str, ArrayLike] | ArrayLike) -> dict[str, Array]:
        """Raises ValueError for points of another shape."""
        axes = self.manifest.axes
        if isinstance(points, Mapping):
            names = [a.name for a in axes]
            if set(points) != set(names):
                raise ValueError(f"the points have coordinates {', '.join(names)}, not {', '.join(points)}")
            parts = [jnp.asarray(points[a.name]) for a in axes]
            z = jnp.concatenate(
                [p if a.size > 1 else p[..., None] for p, a in zip(parts, axes, strict=True)], axis=-1
            )
        else:
            z = jnp.asarray(points)
        width = sum(a.size for a in axes)
        if z.ndim == 0 or z.shape[-1] != width:
            raise ValueError(f"the points have shape {list(z.shape)}, and [..., {width}] is wanted")
        with precise(self.manifest.dtype, z):
            found = self.call(z.reshape(-1, width))
        assert isinstance(found, dict)
        return {name: jnp.reshape(found[name], z.shape[:-1]) for name in self.manifest.components}

    @property
    def unknowns(self) -> dict[str, float]:
        """The recovered values of unknown parameters."""
        return dict(self.manifest.unknowns)

    def __repr__(self) -> str:
        axes = ", ".join(a.name for a in self.manifest.axes)
        return f"<TrainedField {', '.join(self.manifest.components)}({axes})>"


def pack_field(
    evaluate: Callable[[Array], dict[str, Array]],
    spec: str,
    dtype: Dtype,
    axes: Sequence[FieldAxis],
    unknowns: Mapping[str, float],
    steps: int,
) -> bytes:
    """The bytes of an `.nbx` file for a function of points [n, axes]."""
    with precise(dtype):
        shape = export.symbolic_shape(f"n, {sum(a.size for a in axes)}")
        wanted = jax.ShapeDtypeStruct(shape, jnp.dtype(dtype))  # type: ignore[no-untyped-call]
        exported = export.export(jax.jit(evaluate), platforms=PLATFORMS)(wanted)
        data = bytes(exported.serialize(vjp_order=1))
        names = tuple(jax.eval_shape(evaluate, jnp.zeros((1, sum(a.size for a in axes)), dtype)))
    program = Program(
        "field", MEMBER, hashlib.sha256(data).hexdigest(), True,
        exported.calling_convention_version, signature(exported.in_avals), signature(exported.out_avals),
    )  # fmt: skip
    text = spec.encode("utf-8", errors="surrogatepass")
    manifest = FieldManifest(
        FORMAT, "field", version("nablax"), jax.__version__, PLATFORMS, spec,
        hashlib.sha256(text).hexdigest(), dtype, tuple(axes), names, tuple(unknowns.items()), steps, program,
    )  # fmt: skip
    return pack(encode(manifest), {MEMBER: data})


def load_field(path: str | Path) -> TrainedField:
    """The trained field in a file that `nablax train` wrote. Needs neither SymPy nor lark.

    Raises `ArtifactError` for a file that is missing, corrupt, newer, or not for this machine.
    """
    file = Path(path)
    try:
        return _unpack(read_bytes(file))
    except ArtifactError as error:
        raise ArtifactError(f"`{file}`: {error}", error.code) from None


def _unpack(data: bytes) -> TrainedField:
    container = Container(data)
    found = container.manifest
    if not isinstance(found, dict) or found.get("kind") != "field":
        raise ArtifactError("it holds no trained field; `nablax.load_artifact` reads compiled specs", "R735")
    number = found.get("format")
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= FORMAT:
        raise ArtifactError(f"it is of format {str(number)[:20]}, and this nablax reads up to {FORMAT}")
    manifest = decode(FieldManifest, found, "manifest")
    _check(container, manifest)
    with precise(manifest.dtype):
        program = manifest.program
        exported = deserialised(container.member(MEMBER, program.sha256), program, manifest.platforms)
        return TrainedField(manifest, callable_of(exported, program.differentiable))


def _check(container: Container, manifest: FieldManifest) -> None:
    """Raises `ArtifactError` where entries make no sense together."""
    width = sum(a.size for a in manifest.axes)
    sound = (
        container.names == {MEMBER}
        and manifest.program.member == MEMBER
        and bool(manifest.axes)
        and all(0 < a.size < 2**24 and isfinite(a.lower) and isfinite(a.upper) for a in manifest.axes)
        and manifest.program.inputs == (f"{manifest.dtype}[n,{width}]",)
        and len(manifest.components) == len(manifest.program.outputs) == len(set(manifest.components))
        and hashlib.sha256(manifest.spec.encode("utf-8", errors="surrogatepass")).hexdigest()
        == manifest.spec_sha256
    )
    if not sound:
        raise ArtifactError("its manifest and its program differ")
    backend = jax.default_backend()
    names = {"gpu": ("cuda", "rocm")}.get(backend, (backend,))
    if not set(names) & set(manifest.platforms):
        raise ArtifactError(
            f"it was exported for {', '.join(manifest.platforms)}, and this machine runs {backend}"
        )
