"""Small specs for tests of the compiler, and how they are compiled."""

from nablax.frontend.parser import read_source
from nablax.frontend.render import render_all
from nablax.pipeline import Stages, run_stages


def stages(text: str) -> Stages:
    """All stages of a text that must have no errors."""
    found = run_stages(read_source("spec", text))
    assert not found.report.failed, render_all(found.report.source, tuple(found.report.diagnostics))
    return found


def codes(text: str) -> list[str]:
    """The codes of everything said about a text, in order."""
    return [d.code for d in run_stages(read_source("spec", text)).report.diagnostics]


def periodic(
    equations: str, fields: str = "u", initial: str = "u = sin(x)", axes: str = "x", params: str = "nu = 0.3"
) -> str:
    """A spec on a periodic box of side 2π."""
    space = "; ".join(f"{a} in [0, 2*pi] periodic" for a in axes.split())
    return (
        f"space {{ {space} }}\ntime {{ t in [0, 1] }}\nfields {{ {fields} }}\nparams {{ {params} }}\n"
        f"equations {{ {equations} }}\ninitial {{ {initial} }}\n"
    )


def bounded(
    equations: str,
    boundary: str,
    fields: str = "u",
    initial: str = "u = 0",
    solve: str = "",
    axis: str = "x in [0, 1]",
) -> str:
    """A spec on an interval."""
    return (
        f"space {{ {axis} }}\ntime {{ t in [0, 1] }}\nfields {{ {fields} }}\n"
        f"equations {{ {equations} }}\ninitial {{ {initial} }}\nboundary {{ {boundary} }}\n"
        f"solve {{ {solve} }}\n"
    )
