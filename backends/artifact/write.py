"""A solver made a file: programs exported, hashed and packed with their manifest."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import PurePath
from typing import NamedTuple

import jax
from jax import export

from nablax.backends.artifact.calls import signature
from nablax.backends.artifact.container import pack
from nablax.backends.artifact.errors import ArtifactError
from nablax.backends.artifact.manifest import FORMAT, Manifest, Output, Program, write_manifest
from nablax.backends.artifact.programs import Exportable, counts, exportables
from nablax.backends.exporting import PLATFORMS
from nablax.backends.nodes import samples
from nablax.backends.precision import precise
from nablax.backends.solver import Solver
from nablax.backends.steady import SteadySolver
from nablax.backends.stepping.control import Control
from nablax.frontend.source import Source
from nablax.reductions import Noise

NOTHING = Output(None, None, ())


def compile_artifact(
    solver: Solver | SteadySolver, output: Output = NOTHING, platforms: Sequence[str] = PLATFORMS
) -> bytes:
    """The bytes of an `.nbx` file. Raises `ArtifactError` for a platform that a program cannot have."""
    unknown = [p for p in platforms if p not in (*PLATFORMS, "rocm")]
    if unknown or not platforms:
        known = ", ".join(PLATFORMS)
        raise ArtifactError(f"`{unknown[0] if unknown else ''}` is no platform; there are {known} and rocm")
    plan = solver.plan
    course = _course(solver)
    members: dict[str, bytes] = {}
    programs: list[Program] = []
    with precise(plan.dtype):
        wanted = exportables(solver)
        for one in wanted:
            exported = _exported(one, platforms)
            data = bytes(exported.serialize(vjp_order=1 if one.differentiable else 0))
            member = f"programs/{one.name.replace('/', '-')}"
            members[member] = data
            programs.append(_entry(one, exported, member, data))
    outline = solver.outline
    source = Source(PurePath(outline.source.name).name, outline.source.text)
    with precise(plan.dtype):
        names = _shown(wanted)
    calls = {call for data in plan.system.initial if data is not None for call in data.atoms(Noise)}
    manifest = Manifest(
        format=FORMAT,
        nablax=version("nablax"),
        jax=jax.__version__,
        platforms=tuple(platforms),
        spec_sha256=hashlib.sha256(source.text.encode("utf-8")).hexdigest(),
        outline=replace(outline, source=source),
        output=output,
        control=course.control,
        bound=course.bound,
        order=course.order,
        counts=course.counts,
        draws=tuple(sorted((str(call), int(call.args[0])) for call in calls)),
        shown=names,
        programs=tuple(programs),
    )
    assert {name for name, _ in manifest.draws} == set(samples(plan))
    return pack(write_manifest(manifest), members)


class _Course(NamedTuple):
    """What the manifest says of the steps."""

    control: Control
    bound: float | None
    order: int
    counts: tuple[int, ...]


def _course(solver: Solver | SteadySolver) -> _Course:
    if isinstance(solver, SteadySolver):
        return _Course("fixed", None, 1, ())
    p = solver.programs
    return _Course(p.control, p.bound, p.method.order, counts(solver))


def _shown(programs: Sequence[Exportable]) -> tuple[str, ...]:
    """The names of the fields in a frame."""
    one = next(p for p in programs if p.name in ("show", "rest"))
    found = jax.eval_shape(one.function, *one.arguments)
    return tuple(found if one.name == "show" else found[0])


def _exported(one: Exportable, platforms: Sequence[str]) -> export.Exported:
    try:
        return export.export(jax.jit(one.function), platforms=tuple(platforms))(*one.arguments)
    except (NotImplementedError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise ArtifactError(
            f"the program `{one.name}` does not lower for {', '.join(platforms)}: {said}"
        ) from None


def _entry(one: Exportable, exported: export.Exported, member: str, data: bytes) -> Program:
    return Program(
        name=one.name,
        member=member,
        sha256=hashlib.sha256(data).hexdigest(),
        differentiable=one.differentiable,
        calling_convention=exported.calling_convention_version,
        inputs=signature(exported.in_avals),
        outputs=signature(exported.out_avals),
    )
