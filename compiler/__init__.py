"""nablax: PDEs as text, compiled to JAX solvers.

problem = nablax.load("burgers.pde")
solution = problem.compile(n=256).solve()
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nablax.backends.smoothing import smoothed as surrogate
    from nablax.facade import Problem, field, load, parse, train
    from nablax.frontend.diagnostics import SpecError

__all__ = ["Problem", "SpecError", "__version__", "field", "load", "parse", "surrogate", "train"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    # SymPy takes half a second to import: `nablax --help` and the formatter go without it.
    if name in ("Problem", "field", "load", "parse", "train"):
        from nablax import facade

        return getattr(facade, name)
    if name == "SpecError":
        from nablax.frontend.diagnostics import SpecError

        return SpecError
    if name == "load_artifact":
        from nablax.backends.artifact.read import load_artifact

        return load_artifact
    if name == "load_field":
        from nablax.backends.artifact.fields import load_field

        return load_field
    if name == "surrogate":
        from nablax.backends.smoothing import smoothed

        return smoothed
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
