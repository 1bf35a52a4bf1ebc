"""`nablax compile`: a spec made a file that runs without the compiler."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nablax.cli.files import folder_of, read_spec, stem_of, write_bytes
from nablax.cli.messages import FileProblem, print_diagnostics
from nablax.cli.options import overrides, set_option, solve_option
from nablax.cli.run import build_solver, quiet_jax
from nablax.frontend.diagnostics import Report, SpecError

if TYPE_CHECKING:
    from nablax.backends.artifact.manifest import Manifest, Output
    from nablax.plan import Plan

SCHEMA = 1
REFUSED = 1
SUFFIX = ".nbx"


@click.command("compile", short_help="Compile a spec to a file that runs without the compiler.")
@click.argument("spec")
@click.option("-o", "output", metavar="PATH", help="Where to write: an `.nbx` file.")
@click.option(
    "--platforms", metavar="LIST", default="cpu,cuda,tpu", show_default=True, help="What it shall run on."
)
@set_option
@solve_option
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def compile_spec(
    spec: str,
    output: str | None,
    platforms: str,
    parameters: tuple[str, ...],
    solve: tuple[str, ...],
    as_json: bool,
) -> int:
    """Compile a spec to StableHLO programs in one file, for `nablax run` and `nablax.load_artifact`."""
    from nablax.frontend.render import to_json
    from nablax.pipeline import compile_plan

    source = read_spec(spec)
    changes = overrides(parameters, solve)
    path = Path(f"{stem_of(spec)}{SUFFIX}" if output is None else output)
    if path.suffix != SUFFIX:
        raise click.BadParameter(f"`{path}` does not end in `{SUFFIX}`", param_hint="-o")
    try:
        plan, report = compile_plan(source, changes, folder_of(spec))
        data = _compiled(plan, report, folder_of(spec), tuple(p.strip() for p in platforms.split(",")))
    except SpecError as error:
        if not as_json:
            raise
        answer = {"status": "refused", **to_json(source, error.diagnostics)}
        click.echo(json.dumps({"schema": SCHEMA, **answer}, indent=2, ensure_ascii=False))
        return 1
    write_bytes(path, data)
    manifest = _manifest(data)
    if as_json:
        facts = {"artifact": str(path), "bytes": len(data), **_facts(manifest)}
        answer = {"status": "done", **facts, **to_json(source, report.diagnostics)}
        click.echo(json.dumps({"schema": SCHEMA, **answer}, indent=2, ensure_ascii=False))
        return 0
    print_diagnostics(source, report.diagnostics)
    derivative = "" if manifest.differentiable else "; no derivative of a solve"
    click.echo(f"{path}  {len(data) / 1000:.0f} kB for {', '.join(manifest.platforms)}{derivative}")
    for array in manifest.outline.arrays:
        shape = " x ".join(map(str, array.shape))
        click.echo(f"{array.name}: an argument, {shape} values along {', '.join(array.axes)}")
    return 0


def _compiled(plan: "Plan", report: Report, folder: Path, platforms: tuple[str, ...]) -> bytes:
    quiet_jax(plan.dtype == "float64")
    from nablax.backends.artifact.errors import ArtifactError
    from nablax.backends.artifact.write import compile_artifact

    output = _output(plan, report, folder)
    solver = build_solver(plan, report)
    try:
        return compile_artifact(solver, output, platforms)
    except ArtifactError as error:
        raise FileProblem(str(error)) from None


def _output(plan: "Plan", report: Report, folder: Path) -> "Output":
    from nablax.backends.artifact.manifest import Output
    from nablax.backends.output.requests import read_requests

    requests = read_requests(plan.system.problem, folder, report)
    report.check()
    save, movie = (None if p is None else p.relative_to(folder) for p in (requests.save, requests.movie))
    return Output(
        None if save is None else save.as_posix(),
        None if movie is None else movie.as_posix(),
        requests.drawings,
    )


def _manifest(data: bytes) -> "Manifest":
    """Read back what was written."""
    from nablax.backends.artifact.container import Container
    from nablax.backends.artifact.manifest import read_manifest

    return read_manifest(Container(data).manifest)


def _facts(manifest: "Manifest") -> dict[str, object]:
    return {
        "platforms": list(manifest.platforms),
        "format": manifest.format,
        "programs": [p.name for p in manifest.programs],
        "differentiable": manifest.differentiable,
        "arrays": {a.name: list(a.shape) for a in manifest.outline.arrays},
    }
