"""The whole compiler on one screen.

    text    ──parse──────▶ Module    syntax with spans               (frontend/parser.py)
    Module  ──resolve────▶ Problem   SymPy, names and ranks known    (meaning/resolve.py)
    Problem ──normalise──▶ System    M d/dt u = L u + N(u) + f       (passes/normalise.py)
    System  ──make_plan──▶ Plan      grid, method, step, reasons     (planning/make.py)
    Plan    ──build──────▶ Solver    jitted functions over pytrees   (backends/solver.py)

Every stage is a function from one frozen record to the next and adds what it has to say to a `Report`.
"""

from dataclasses import dataclass
from pathlib import Path

from nablax.frontend.diagnostics import Diagnostic, Report, Severity
from nablax.frontend.parser import parse
from nablax.frontend.source import Source
from nablax.frontend.syntax import Module
from nablax.meaning.resolve import resolve
from nablax.models import read_model
from nablax.overrides import Overrides
from nablax.passes.normalise import normalise
from nablax.plan import Plan
from nablax.planning.compatible import warn_incompatible, warn_jump
from nablax.planning.make import check_axes, make_plan
from nablax.problem import Problem
from nablax.system import System
from nablax.training.read import read_training
from nablax.training.records import Training
from nablax.training.tables import check_tables
from nablax.verify import verify_plan, verify_problem, verify_system, wanted

NOTHING = Overrides()


@dataclass(frozen=True, slots=True)
class Stages:
    """Everything the compiler made of a spec, as far as it came; `report` says why not further.

    A spec with a `train` block and no `solve` block is for networks: what planning has to say about grids
    is `withheld` until a plan is demanded.
    """

    report: Report
    module: Module | None = None
    problem: Problem | None = None
    system: System | None = None
    plan: Plan | None = None
    training: Training | None = None
    withheld: tuple[Diagnostic, ...] = ()

    def demand(self) -> tuple[Plan, Report]:
        """The plan and all that is to be said; raises `SpecError` where there is none."""
        report = Report(self.report.source)
        for diagnostic in (*self.report.diagnostics, *self.withheld):
            report.add(diagnostic)
        report.check()
        assert self.plan is not None, "a plan is missing, and no error says why"
        return self.plan, report

    def demand_training(self) -> tuple[System, Training, Report]:
        """The normal form, the training run, and what is to be said about them; raises `SpecError`.

        A spec without a `train` block is trained by defaults. What planning says about grids is left out.
        """
        report = Report(self.report.source)
        for diagnostic in self.report.diagnostics:
            if diagnostic.code != "P504" and (self.system is None or not _about_grids(diagnostic.code)):
                report.add(diagnostic)
        report.check()
        assert self.system is not None, "a system is missing, and no error says why"
        training = self.training
        if training is None:
            check_tables(self.system.problem, report)
            training = read_training(self.system, report)
        report.check()
        assert training is not None, "a training run is missing, and no error says why"
        return self.system, training, report


def plan_on(source: Source, overrides: Overrides, folder: Path | None, n: int) -> Plan | None:
    """The plan of the same spec with `n` points or cells along every axis; None where there is none."""
    finer = Overrides(overrides.parameters, {**overrides.solve, "n": str(n)}, overrides.train)
    return run_stages(source, finer, folder).plan


def _about_grids(code: str) -> bool:
    return code.startswith("P4") and code != "P404"


def run_stages(source: Source, overrides: Overrides = NOTHING, folder: Path | None = None) -> Stages:
    """All stages up to the plan; never raises for anything a spec can hold."""
    report = Report(source)
    module = parse(source, report)
    if module is None:
        return Stages(report)
    problem = resolve(module, source, overrides, report, folder)
    if report.failed:
        _withhold_followers(report)
        return Stages(report, module, problem)
    return finish_stages(module, problem, report)


def finish_stages(module: Module | None, problem: Problem, report: Report) -> Stages:
    """The stages after the problem, for a problem without errors."""
    read_model(problem, report)
    system = normalise(problem, report)
    if system is None or report.failed:
        return Stages(report, module, problem)
    if wanted():
        verify_problem(problem)
        verify_system(system)
    training = None
    if problem.train:
        check_tables(problem, report)
        training = read_training(system, report)
    about_grids = Report(report.source) if problem.train and not problem.solve else report
    plan = None
    if check_axes(system, about_grids):
        plan = make_plan(system, about_grids)
        if plan is None or plan.method != "fv":
            # Waves carry a jump away: finite volumes take any initial state with any condition.
            warn_incompatible(system, report)
        warn_jump(system, report)
    if plan is not None and wanted():
        verify_plan(plan)
    withheld = () if about_grids is report else tuple(about_grids.diagnostics)
    plan = None if about_grids.failed else plan
    return Stages(report, module, problem, system, plan, training, withheld)


def _withhold_followers(report: Report) -> None:
    """A declaration lost to a syntax error makes its uses unknown names: say the first thing only."""
    if any(d.code.startswith("P0") and d.severity is Severity.ERROR for d in report.diagnostics):
        report.diagnostics[:] = [d for d in report.diagnostics if d.code != "P101"]


def check(source: Source, overrides: Overrides = NOTHING, folder: Path | None = None) -> Report:
    """Everything there is to say about a spec."""
    return run_stages(source, overrides, folder).report


def compile_plan(
    source: Source, overrides: Overrides = NOTHING, folder: Path | None = None
) -> tuple[Plan, Report]:
    """The plan and its warnings; raises `SpecError` with the diagnostics otherwise."""
    return run_stages(source, overrides, folder).demand()
