"""Specs to start from, one for each kind of problem."""

from importlib.resources import files
from importlib.resources.abc import Traversable

PLANNED = frozenset({"fractional", "inverse"})
"""Kinds that are stated in the language and that no method of this version solves."""


def kinds() -> list[str]:
    """The kinds of problem there is a starter for."""
    return sorted(
        entry.name.removesuffix(".pde") for entry in _folder().iterdir() if entry.name.endswith(".pde")
    )


def starter(kind: str, name: str) -> str:
    """A complete, commented spec whose title begins with `name`.

    Raises:
        KeyError: `kind` is none of `kinds()`.
    """
    if kind not in kinds():
        raise KeyError(kind)
    text = _folder().joinpath(f"{kind}.pde").read_text("utf-8")
    title = " ".join(name.replace('"', " ").split())
    return text.replace('"', f'"{title}: ', 1) if title and title != kind else text


def _folder() -> Traversable:
    return files("nablax.frontend").joinpath("starters")
