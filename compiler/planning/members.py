"""One plan for the members of a sweep: the same grid and method, steps that suit them all."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import sympy as sp

from nablax.frontend.diagnostics import Report
from nablax.outlining import static_parameters
from nablax.past import nominal_order
from nablax.plan import Plan, Recall, Stepping
from nablax.planning.meshes import step_times

STIFF = ("implicit", "imex")  # steppers chosen where a member is stiff, the most robust first


def common_plan(plans: Sequence[Plan], names: Sequence[str], report: Report) -> Plan | None:
    """The plan of the stiffest member, its step short enough for every one; None with a message.

    P565 where a swept parameter shapes the grid: methods and grids depend on no other one's value.
    """
    system = plans[0].system
    static = static_parameters(system)
    for i, parameter in enumerate(system.parameters):
        if parameter.name in static and len({p.system.parameters[i].value for p in plans}) > 1:
            swept = parameter.name if parameter.name in names else ", ".join(names)
            report.error(
                "P565",
                parameter.span,
                f"`{parameter.name}` shapes the grid or the times, and the members of a sweep share both",
                label="in the ends of an axis",
                help=f"leave `{swept}` out of the sweep, and run once for each value by `--set`",
            )
            return None
    if not _one_kind_of_orders(plans, names, report):
        return None
    lead = min(plans, key=_rank)
    alike = [p.stepping for p in plans if p.stepping.name == lead.stepping.name]
    dt = min((s.dt for s in alike if s.dt is not None), default=None)
    stepping = replace(
        lead.stepping,
        dt=dt,
        bound=min((s.bound for s in alike if s.bound is not None), default=None),
        cap=min((p.stepping.cap for p in plans if p.stepping.cap is not None), default=None),
        recall=_common_recall(lead, alike, dt),
    )
    return replace(lead, stepping=stepping, bundle=min(p.bundle for p in plans))


def shared_mesh(plans: Sequence[Plan], common: Plan) -> tuple[str, ...]:
    """What to know of the mesh of members whose orders differ; nothing where each alone has the same."""
    recall = common.stepping.recall
    if recall is None or all(_shape(p) == _shape(common) for p in plans):
        return ()
    graded = f", graded {recall.grading:.3g} as the smallest order asks" if recall.grading > 1 else ""
    mesh = f"{recall.steps} steps{graded}"
    return (f"one mesh for all members: {mesh}; a member run alone has a mesh of its own",)


def _common_recall(lead: Plan, steppings: Sequence[Stepping], dt: float | None) -> Recall | None:
    """The mesh with the steepest start, as many steps as any member wants."""
    recalls = [s.recall for s in steppings if s.recall is not None]
    steepest = max(recalls, key=lambda r: r.grading, default=None)
    if steepest is None:
        return None
    steps = max(r.steps for r in recalls)
    found = replace(steepest, steps=steps)
    mesh = step_times(found, dt, (lead.frames[0], lead.frames[-1]), lead.frames)
    lengths = np.concatenate([np.diff(m) for m in mesh])
    # A step of Alikhanov's looks back from inside: by half of it at least.
    inside = 0.5 if lead.stepping.name == "l21sigma" else 1.0
    shortest = min(float(lengths.min()) * inside, *(r.shortest for r in recalls))
    return replace(found, capacity=len(lengths), shortest=shortest)


def _shape(plan: Plan) -> tuple[int, float]:
    recall = plan.stepping.recall
    return (0, 0.0) if recall is None else (recall.steps, recall.grading)


def _one_kind_of_orders(plans: Sequence[Plan], names: Sequence[str], report: Report) -> bool:
    """Whether every derivative in time lies between the same whole numbers in all members; P565 if not."""
    first = plans[0].system
    for i, equation in enumerate(first.evolution):
        for k, memory in enumerate(equation.memory):
            orders = [
                nominal_order(p.system.evolution[i].memory[k], p.system)
                for p in plans
                if k < len(p.system.evolution[i].memory)
            ]
            kinds = {(int(sp.floor(a)), int(sp.ceiling(a))) for a in orders}
            if len(kinds) > 1 or len(orders) < len(plans):
                report.error(
                    "P565",
                    memory.span,
                    "the order of a derivative in time reaches a whole number in some members only",
                    label=f"from {min(orders)} to {max(orders)}",
                    help=f"leave those out of `{', '.join(names)}`, and run them by `--set`",
                )
                return False
    return True


def _rank(plan: Plan) -> tuple[int, float]:
    name = plan.stepping.name
    rank = STIFF.index(name) if name in STIFF else len(STIFF)
    return rank, plan.stepping.bound if plan.stepping.bound is not None else float("inf")
