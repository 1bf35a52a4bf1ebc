"""The pictures there are, and one asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from nablax.formula import Formula
from nablax.frontend.source import Span

Kind = Literal["heatmap", "spacetime", "lines", "vectors", "slice"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Drawing:
    """One picture asked for. `field` names a field or component; `formula` is set for anything else.

    `at` fixes an axis of a slice: (axis name, coordinate).
    """

    kind: Kind
    field: str
    formula: Formula | None = None
    at: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Requests:
    """The `output` block: paths are resolved and inside the spec's folder."""

    save: Path | None
    movie: Path | None
    drawings: tuple[Drawing, ...]
    save_span: Span | None = None
    movie_span: Span | None = None
