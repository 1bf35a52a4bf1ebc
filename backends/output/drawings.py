"""The pictures there are, and one asked for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    import sympy as sp

Kind = Literal["heatmap", "spacetime", "lines", "vectors", "slice"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Drawing:
    """One picture asked for. `field` names a field or component; `expression` is set for anything else.

    `at` fixes an axis of a slice: (axis name, coordinate).
    """

    kind: Kind
    field: str
    expression: "sp.Expr | None" = None
    at: tuple[tuple[str, float], ...] = ()
