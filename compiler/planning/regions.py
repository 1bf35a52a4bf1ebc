"""Which problems on regions a grid takes."""

from nablax.frontend.diagnostics import Report
from nablax.system import System


def refuse_region(system: System, report: Report) -> None:
    """An error where the region is not the whole box."""
    cuts = system.problem.cuts
    if cuts:
        report.error(
            "P402",
            cuts[0].span,
            "a grid on a region cut out by `inside` is not available yet",
            help="use networks: a `train` block, `nablax train`, or `problem.residual(field)`",
        )
