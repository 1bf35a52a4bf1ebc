"""The manifest: everything about a compiled solver that is not a program."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite, prod

from nablax.backends.artifact.errors import ArtifactError
from nablax.backends.artifact.records import Json, decode, encode
from nablax.backends.output.drawings import Drawing
from nablax.backends.stepping.control import Control
from nablax.formula import Formula, Step
from nablax.outline import Outline
from nablax.pointwise import POINTWISE

FORMAT = 2
"""Raised when an older nablax could misread a file."""

_NAME = re.compile(r"[^\W\d]\w*", re.UNICODE)
_COMPONENT = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)?", re.UNICODE)
_RATE = re.compile(r"dt\([^\W\d]\w*(\.[^\W\d]\w*)?\)", re.UNICODE)
_MOST_POINTS = 2**31
_MOST_STEPS = 100_000
_HIGHEST_DERIVATIVE = 64
_MOST_MESH = 2**26  # steps
_STEEPEST = 100.0

_ARITY = {
    "number": 0, "name": 0, "wavenumber": 0, "noise": 0, "derivative": 1, "integral": 1, "mean": 1,
    "maximum": 1, "minimum": 1, "multiplier": 2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Program:
    """An exported program: where it lies, its hash, and the shapes and dtypes that go in and come out."""

    name: str
    member: str
    sha256: str
    differentiable: bool
    calling_convention: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Output:
    """The `output` block of the spec: paths relative to the artifact's folder, and pictures."""

    save: str | None
    movie: str | None
    drawings: tuple[Drawing, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """`draws` names the noise that the initial data want, with its seeds; `shown` the fields of a frame.

    `counts`: for how many steps of one size, or known beforehand, there is a differentiable program.
    `control`, `bound` and `order` are those of the host loop (`nablax.backends.loop.Drive`).
    """

    format: int
    nablax: str
    jax: str
    platforms: tuple[str, ...]
    spec_sha256: str
    outline: Outline
    output: Output
    control: Control
    bound: float | None
    order: int
    counts: tuple[int, ...]
    draws: tuple[tuple[str, int], ...]
    shown: tuple[str, ...]
    programs: tuple[Program, ...]

    @property
    def differentiable(self) -> bool:
        """Whether reverse mode passes a solve."""
        ways = ("steps/", "advance", "frame", "rest")
        return any(p.differentiable for p in self.programs if p.name.startswith(ways))

    @property
    def steady(self) -> bool:
        """Whether nothing moves: `control`, `bound` and `order` then say nothing."""
        return self.outline.time is None

    @property
    def guesses(self) -> tuple[tuple[str, bool], ...]:
        """What may be replaced where a solve begins, and whether it is complex."""
        if self.steady:
            return tuple((c, f.complex) for f in self.outline.fields for c in f.components)
        return tuple((u.name, u.complex) for u in self.outline.evolving)

    def kinds(self) -> tuple[tuple[str, str], ...]:
        """The same with dtypes."""
        wide = "complex64" if self.outline.dtype == "float32" else "complex128"
        return tuple((name, wide if of else self.outline.dtype) for name, of in self.guesses)


def write_manifest(manifest: Manifest) -> Json:
    return encode(manifest)


def read_manifest(value: Json) -> Manifest:
    """The manifest, believed in nothing: every entry has its type and makes sense. Raises `ArtifactError`."""
    if not isinstance(value, dict) or "format" not in value:
        raise ArtifactError("`manifest.json` has no `format`: it was not written by nablax")
    if value.get("kind") == "field":
        raise ArtifactError("it is a trained field and no compiled spec: there is nothing to run", "R735")
    number = value["format"]
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ArtifactError("`format` is not a version number")
    if number != FORMAT:
        written = value.get("nablax")
        by = f" by nablax {written[:20]}" if isinstance(written, str) else ""
        raise ArtifactError(f"it was written{by} in format {number}; this nablax reads {FORMAT}", "R731")
    manifest = decode(Manifest, value, "manifest")
    _check_outline(manifest.outline)
    _require(manifest.steady or bool(manifest.outline.evolving), "manifest.outline.evolving", "is empty")
    for drawing in manifest.output.drawings:
        if drawing.formula is not None:
            _check_formula(drawing.formula, manifest.outline, "manifest.output.drawings")
        axes = [a.name for a in manifest.outline.grid]
        _require(
            all(axis in axes and isfinite(x) for axis, x in drawing.at),
            "manifest.output.drawings", "cuts along an axis that is not there",
        )  # fmt: skip
    components = {c for f in manifest.outline.fields for c in f.components}
    _require(components <= set(manifest.shown), "manifest.shown", "lacks a field")
    _require(0 < manifest.order <= 16, "manifest.order", "is no order of a method")
    positive = manifest.bound is None or manifest.bound > 0
    _require(positive, "manifest.bound", "is no step")
    _require(all(0 < c < 2**31 for c in manifest.counts), "manifest.counts", "has a count out of range")
    _check_mesh(manifest)
    _require(all(0 <= seed < 2**53 for _, seed in manifest.draws), "manifest.draws", "has a negative seed")
    _distinct((p.name for p in manifest.programs), "manifest.programs")
    _distinct((p.member for p in manifest.programs), "manifest.programs")
    _check_initial(manifest)
    return manifest


def _check_mesh(manifest: Manifest) -> None:
    """Steps known beforehand are few enough to be listed."""
    outline, recall = manifest.outline, manifest.outline.stepping.recall
    place = "manifest.outline.stepping.recall"
    _require((manifest.control == "mesh") == (recall is not None), place, "does not fit the control")
    _require(outline.remembered >= 0, "manifest.outline.remembered", "is no number of arrays")
    if recall is None:
        return
    dt, span = outline.stepping.dt, outline.frames[-1] - outline.frames[0]
    few = 0 < recall.steps <= _MOST_MESH and 0 < recall.capacity <= _MOST_MESH
    _require(few and (dt is None or span / dt <= _MOST_MESH), place, "has too many steps, or none")
    _require(1 <= recall.grading <= _STEEPEST, place, "is no grading of a mesh")
    rising = all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(recall.shares))
    finite = all(isfinite(a) for pair in recall.shares for a in pair)
    _require(rising and finite and len(recall.shares) != 1, place, "measures time by no rising function")
    _require(len(manifest.counts) == 1, "manifest.counts", "is not one piece of a mesh")
    _require(manifest.counts[0] <= recall.capacity + 1, "manifest.counts", "is not one piece of a mesh")


def _check_initial(manifest: Manifest) -> None:
    """The grid is that of the programs: nothing of its size is made before this is known."""
    outline = manifest.outline
    grid = f"[{','.join(map(str, outline.shape))}]"
    fields = sorted(manifest.kinds())
    arguments = [(p.name, ()) for p in outline.parameters] + [(a.name, a.shape) for a in outline.arrays]
    first = "rest" if manifest.steady else "initial"
    wanted = (
        *(f"{outline.dtype}[{','.join(map(str, shape))}]" for _, shape in sorted(arguments)),
        *(f"{outline.dtype}{grid}" for _ in manifest.draws),
        *(f"{kind}{grid}" for _, kind in fields),
        *("bool[]" for _ in fields),
    )
    found = [p.inputs for p in manifest.programs if p.name == first]
    _require(found == [wanted], "manifest.outline", f"and the program `{first}` differ")


def _require(holds: bool, place: str, what: str) -> None:
    if not holds:
        raise ArtifactError(f"`{place}` {what}")


def _distinct(names: Iterable[str], place: str) -> None:
    found = list(names)
    _require(len(set(found)) == len(found), place, "has a name twice")


def _check_outline(outline: Outline) -> None:
    place = "manifest.outline"
    length = len(outline.source.text)
    for name, (start, end) in _spans(outline):
        _require(0 <= start <= end <= length, f"{place}.{name}", "lies outside of the text")
    _require(0 < len(outline.grid) <= 16, f"{place}.grid", "has no axis, or too many")
    for axis in outline.grid:
        ends = isfinite(axis.lower) and isfinite(axis.upper) and axis.lower < axis.upper
        _require(ends and 0 < axis.n <= _MOST_POINTS, f"{place}.grid", "has an axis without points or length")
    _require(prod(a.points for a in outline.grid) <= _MOST_POINTS, f"{place}.grid", "has too many points")
    _require(len(outline.dealias) in (0, len(outline.grid)), f"{place}.dealias", "does not fit the grid")
    frames = outline.frames
    rising = all(a < b for a, b in pairwise(frames))
    _require(bool(frames) and all(map(isfinite, frames)) and rising, f"{place}.frames", "does not increase")
    _require(0 <= outline.order <= 16, f"{place}.order", "is no order of differences")
    dt = outline.stepping.dt
    _require(dt is None or (isfinite(dt) and dt > 0), f"{place}.stepping.dt", "is no step")
    components = [c for f in outline.fields for c in f.components]
    evolving = [u.name for u in outline.evolving]
    own = [*(a.name for a in outline.grid), *(f.name for f in outline.fields)]
    for array in outline.arrays:
        lengths = {a.name: a.points for a in outline.grid}
        fits = array.shape == tuple(lengths.get(axis, -1) for axis in array.axes)
        _require(fits and bool(array.axes), f"{place}.arrays", "has a shape that is not the grid's")
    own += [p.name for p in outline.parameters] + [a.name for a in outline.arrays]
    own += [] if outline.time is None else [outline.time]
    _require(bool(components), f"{place}.fields", "is empty")
    _require(all(_NAME.fullmatch(n) for n in own), place, "has a name that is none")
    _require(all(_COMPONENT.fullmatch(c) for c in components), f"{place}.fields", "has a name that is none")
    _require(
        all(_COMPONENT.fullmatch(u) or _RATE.fullmatch(u) for u in evolving),
        f"{place}.evolving", "has a name that is none",
    )  # fmt: skip
    for names in (own, components, evolving):
        _distinct(names, place)
    for i, s in enumerate(outline.statements):
        where = f"{place}.statements[{i}]"
        _require(bool(s.refusal) or (bool(s.left) and bool(s.right)), where, "has an empty side")
        _require(len(s.right) in (1, len(s.left)) or bool(s.refusal), where, "has sides that do not match")
        for formula in (*s.left, *s.right, *(f for f in (s.within, s.at) if f is not None)):
            _check_formula(formula, outline, where)
    named = {p.name for p in outline.parameters}
    for i, order in enumerate(outline.orders):
        where = f"{place}.orders[{i}]"
        _check_formula(order.formula, outline, where)
        plain = all(s.operation in POINTWISE or s.operation in ("number", "name") for s in order.formula)
        _require(plain, where, "is no formula of parameters")
        _require({s.name for s in order.formula if s.name} <= named, where, "names no parameter")


def _spans(outline: Outline) -> Iterable[tuple[str, tuple[int, int]]]:
    spans = {"span": outline.span, "n": outline.n, "stepping.limiter": outline.stepping.limiter}
    spans |= {f"fields[{i}]": f.span for i, f in enumerate(outline.fields)}
    spans |= {f"equations[{i}]": span for i, (_, span) in enumerate(outline.equations)}
    spans |= {f"statements[{i}]": s.span for i, s in enumerate(outline.statements)}
    return ((name, (s.start, s.end)) for name, s in spans.items() if s is not None)


def _check_formula(formula: Formula, outline: Outline, place: str) -> None:
    _require(0 < len(formula) <= _MOST_STEPS, place, "has an empty formula, or a huge one")
    for i, step in enumerate(formula):
        _require(all(0 <= k < i for k in step.operands), place, "has a formula that refers ahead")
        _require(
            _known(step) and _fits(step, len(outline.grid)), place, f"has the step `{step.operation[:40]}`"
        )


def _known(step: Step) -> bool:
    if step.operation in _ARITY:
        return len(step.operands) == _ARITY[step.operation]
    if step.operation == "piecewise":
        return len(step.operands) >= 2 and len(step.operands) % 2 == 0
    return step.operation in POINTWISE and len(step.operands) > 0


def _fits(step: Step, axes: int) -> bool:
    along = step.along
    match step.operation:
        case "derivative":
            return len(along) == axes and all(0 <= order <= _HIGHEST_DERIVATIVE for order in along)
        case "integral" | "mean":
            return bool(along) and all(0 <= i < axes for i in along)
        case "wavenumber":
            return len(along) == 1 and 0 <= along[0] < axes
        case "noise":
            return len(along) == 1 and along[0] >= 0
    return not along
