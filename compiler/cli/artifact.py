"""`nablax run FILE.nbx`: a compiled spec, without the compiler."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nablax.cli.messages import FileProblem
from nablax.frontend.diagnostics import Diagnostic, Note, Report, SpecError
from nablax.frontend.render import to_json
from nablax.frontend.source import Source, Span
from nablax.overrides import Overrides

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nablax.backends.artifact.program import Artifact
    from nablax.backends.artifact.steady import SteadyArtifact
    from nablax.backends.frames import Frame, Progress
    from nablax.backends.run import Prepared, Target

REFUSED = 1
NOWHERE = Span(0, 0)
TOLERATED = 1.05  # measured bounds of the step are no better than that


def run_artifact(path: Path, changes: Overrides, target: "Target", as_json: bool, quiet: bool) -> int:
    """Solve, save, judge and draw as a spec's run does; returns the exit code.

    Raises `SpecError` for the file and for what it cannot take, `FileProblem` for what cannot be written.
    """
    from nablax.cli.run import SCHEMA, execute, quiet_jax, tell

    quiet_jax(True)  # a single precision artifact keeps its own
    try:
        artifact = _loaded(path)
        params = parameters_of(artifact, changes)
        prepared = _prepared(artifact, target)
        outcome = execute(prepared, Replaced(artifact, params), quiet or as_json)
    except (FileProblem, SpecError) as problem:
        if not as_json:
            raise
        answer: dict[str, object] = {"schema": SCHEMA, "status": "refused"}
        if isinstance(problem, FileProblem):
            code = problem.code
            answer |= {"exit_code": code, "error": problem.message}
        else:
            code = REFUSED
            answer |= {"exit_code": code, **to_json(problem.source, problem.diagnostics)}
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        return code
    return tell(prepared.outline, outcome, _warnings(artifact, params), as_json, quiet)


@dataclass(frozen=True, slots=True)
class Replaced:
    """An artifact with some parameters replaced: what a run asks of a solver."""

    artifact: "Artifact | SteadyArtifact"
    params: Mapping[str, float]

    @property
    def parameters(self) -> Mapping[str, object]:
        """Numbers alone: coefficients on the grid are values of the spec's text."""
        found = self.artifact.complete(self.params)
        return {p.name: found[p.name] for p in self.artifact.outline.parameters}

    def stream(self) -> "Iterator[Frame | Progress]":
        return self.artifact.stream(self.params)


def _loaded(path: Path) -> "Artifact | SteadyArtifact":
    from nablax.backends.artifact.container import read_bytes
    from nablax.backends.artifact.errors import ArtifactError
    from nablax.backends.artifact.read import unpack

    if not path.is_file():
        raise FileProblem(f"`{path}`: {'it is a folder' if path.is_dir() else 'there is no such file'}")
    try:
        return unpack(read_bytes(path))
    except ArtifactError as error:
        said = Diagnostic(error.code, str(error), NOWHERE, help=error.help, given=str(path))
        raise SpecError(Source(str(path), ""), (said,)) from None


def _prepared(artifact: "Artifact | SteadyArtifact", target: "Target") -> "Prepared":
    from nablax.backends.output.paths import OutputError
    from nablax.backends.run import prepare_artifact

    try:
        return prepare_artifact(artifact, target)
    except OutputError as error:
        raise FileProblem(str(error)) from None


def parameters_of(artifact: "Artifact | SteadyArtifact", changes: Overrides) -> Mapping[str, float]:
    """The numbers of `--set`. Raises `SpecError` for what an artifact cannot take."""
    from nablax.backends.artifact.errors import HELP, ArtifactError

    report = Report(artifact.outline.source)
    for name, text in changes.solve.items():
        said = "the numerical choices of a compiled spec are made"
        report.error("R734", NOWHERE, said, given=f"--solve {name}={text}", help=HELP["R734"])
    known = {p.name: p for p in artifact.outline.parameters}
    arrays = {a.name: a.shape for a in artifact.outline.arrays}
    found: dict[str, float] = {}
    for name, text in changes.parameters.items():
        given = f"--set {name}={text}"
        parameter = known.get(name)
        value = _number(text)
        if name in arrays:
            said = f"`{name}` is an array, and `--set` takes numbers"
            shape = " x ".join(str(n) for n in arrays[name])
            report.error(
                "P114", NOWHERE, said, given=given, help=f"give its {shape} values from Python, in `params`"
            )
        elif parameter is None:
            said = f"`{given}` names no parameter of the spec"
            names = ", ".join(known) or "none"
            report.error("P114", NOWHERE, said, given=given, help=f"the parameters are: {names}")
        elif value is None:
            said = f"`{given}` is no plain number, and a compiled spec takes nothing else"
            report.error("P114", NOWHERE, said, given=given, help="write a finite number, such as `0.02`")
        elif parameter.static and value != parameter.value:
            said = f"`{name}` shapes the grid and is compiled in"
            report.error("R734", NOWHERE, said, given=given, help=f"compile the spec again with `{given}`")
        elif parameter.interval is not None and not parameter.interval[0] <= value <= parameter.interval[1]:
            low, high = parameter.interval
            said = f"`{name}` = {value:g} lies outside its range [{low:g}, {high:g}]"
            report.error("P114", NOWHERE, said, given=given, help="choose a value inside the range")
        else:
            found[name] = value
    report.check()
    if found:
        try:
            artifact.complete(found)
        except ArtifactError as error:
            given = " ".join(f"--set {name}={text}" for name, text in changes.parameters.items())
            report.error(
                "R734", NOWHERE, str(error), given=given, help=f"compile the spec again with `{given}`"
            )
    report.check()
    return found


def _number(text: str) -> float | None:
    """A finite number, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


def _warnings(artifact: "Artifact | SteadyArtifact", params: Mapping[str, float]) -> tuple[Diagnostic, ...]:
    """Whether what was derived for the parameters of the spec holds for these."""
    changed = {name: value for name, value in params.items() if value != artifact.parameters[name]}
    before = artifact.pace() if changed else None
    now = artifact.pace(changed) if changed else None
    if before is None or now is None:
        return ()
    report = Report(artifact.outline.source)
    given = " ".join(f"--set {name}={value:g}" for name, value in changed.items())
    stepping = artifact.outline.stepping
    if stepping.dt is not None and stepping.bound is not None and before.radius > 0 and now.radius > 0:
        bound = stepping.bound * before.radius / now.radius
        if stepping.dt > bound * TOLERATED:
            report.warning(
                "P409",
                NOWHERE,
                f"dt = {stepping.dt:g} is above the stable step of `{stepping.name}`, about {bound:.2g}",
                given=given,
                help="compile the spec again with these values, and with a smaller `dt` or none",
            )
    if now.growth > now.radius / 2 and before.growth <= before.radius / 2:
        report.warning(
            "P306",
            NOWHERE,
            "the shortest waves of the grid grow faster than all others: ill-posed forward in time",
            given=given,
            notes=(Note(f"they grow by e in a time of {1 / now.growth:.2g}"),),
            help="check the sign of the value",
        )
    return tuple(report.diagnostics)
