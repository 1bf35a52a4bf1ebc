"""`nablax run FILE.nbx`: a compiled spec, without the compiler."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nablax.cli.messages import FileProblem
from nablax.overrides import Overrides

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nablax.backends.artifact.program import Artifact
    from nablax.backends.frames import Frame, Progress
    from nablax.backends.run import Prepared, Target

REFUSED = 1


def run_artifact(path: Path, changes: Overrides, target: "Target", as_json: bool, quiet: bool) -> int:
    """Solve, save, judge and draw as a spec's run does; returns the exit code. Raises `FileProblem`."""
    from nablax.cli.run import SCHEMA, execute, quiet_jax, tell

    quiet_jax(True)  # a single precision artifact keeps its own
    try:
        artifact = _loaded(path)
        params = parameters_of(artifact, changes)
        prepared = _prepared(artifact, target)
        outcome = execute(prepared, Replaced(artifact, params), quiet or as_json)
    except FileProblem as problem:
        if not as_json:
            raise
        answer = {"schema": SCHEMA, "status": "refused", "exit_code": problem.code, "error": problem.message}
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        return problem.code
    if params and artifact.manifest.bound is not None and not quiet:
        click.echo("note: the longest step was derived for the parameters of the spec", err=True)
    return tell(prepared.outline, outcome, (), as_json, quiet)


@dataclass(frozen=True, slots=True)
class Replaced:
    """An artifact with some parameters replaced: what a run asks of a solver."""

    artifact: "Artifact"
    params: Mapping[str, float]

    @property
    def parameters(self) -> Mapping[str, object]:
        return self.artifact.complete(self.params)

    def stream(self) -> "Iterator[Frame | Progress]":
        return self.artifact.stream(self.params)


def _loaded(path: Path) -> "Artifact":
    from nablax.backends.artifact.errors import ArtifactError
    from nablax.backends.artifact.read import load_artifact

    try:
        return load_artifact(path)
    except ArtifactError as error:
        raise FileProblem(str(error), REFUSED if path.is_file() else 2) from None


def _prepared(artifact: "Artifact", target: "Target") -> "Prepared":
    from nablax.backends.output.paths import OutputError
    from nablax.backends.run import prepare_artifact

    try:
        return prepare_artifact(artifact, target)
    except OutputError as error:
        raise FileProblem(str(error)) from None


def parameters_of(artifact: "Artifact", changes: Overrides) -> Mapping[str, float]:
    """The numbers of `--set`. Raises `FileProblem` for what an artifact cannot take."""
    if changes.solve:
        raise FileProblem(
            f"`--solve {next(iter(changes.solve))}=..` has no effect on a compiled spec: "
            "its numerical choices are made; compile the spec again with it",
            REFUSED,
        )
    known = {p.name: p for p in artifact.outline.parameters}
    found: dict[str, float] = {}
    for name, text in changes.parameters.items():
        parameter = known.get(name)
        if parameter is None:
            names = ", ".join(f"`{n}`" for n in known) or "none"
            raise FileProblem(f"no parameter is named `{name}`; there are: {names}", REFUSED)
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not abs(value) < float("inf"):
            raise FileProblem(f"`--set {name}={text}`: a compiled spec takes plain numbers", REFUSED)
        if parameter.static and value != parameter.value:
            raise FileProblem(
                f"`{name}` shapes the grid and is compiled in: compile again with --set {name}={text}",
                REFUSED,
            )
        if parameter.interval is not None and not parameter.interval[0] <= value <= parameter.interval[1]:
            low, high = parameter.interval
            raise FileProblem(f"`{name}` = {value:g} lies outside its range [{low:g}, {high:g}]", REFUSED)
        found[name] = value
    return found
