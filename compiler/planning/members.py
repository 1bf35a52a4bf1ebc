"""One plan for the members of a sweep: the same grid and method, steps that suit them all."""

from collections.abc import Sequence
from dataclasses import replace

from nablax.frontend.diagnostics import Report
from nablax.outlining import static_parameters
from nablax.plan import Plan

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
    lead = min(plans, key=_rank)
    alike = [p.stepping for p in plans if p.stepping.name == lead.stepping.name]
    stepping = replace(
        lead.stepping,
        dt=min((s.dt for s in alike if s.dt is not None), default=None),
        bound=min((s.bound for s in alike if s.bound is not None), default=None),
        cap=min((p.stepping.cap for p in plans if p.stepping.cap is not None), default=None),
    )
    return replace(lead, stepping=stepping, bundle=min(p.bundle for p in plans))


def _rank(plan: Plan) -> tuple[int, float]:
    name = plan.stepping.name
    rank = STIFF.index(name) if name in STIFF else len(STIFF)
    return rank, plan.stepping.bound if plan.stepping.bound is not None else float("inf")
