"""Names that stand for nothing: what the message says about them."""

from nablax.frontend import syntax
from nablax.frontend.diagnostics import Edit, Note
from nablax.functions import CONSTANTS, FUNCTIONS
from nablax.meaning.scope import Scope, describe
from nablax.meaning.values import Fault, fault, reported
from nablax.operators import OPERATORS

# Names from other tools.
_MEANT = {
    "ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "sgn": "sign",
    "fabs": "abs", "laplace": "laplacian", "lap": "laplacian", "gradient": "grad", "nabla": "grad",
    "divergence": "div", "rot": "curl", "average": "mean", "avg": "mean", "maximum": "max", "minimum": "min",
    "ceiling": "ceil", "theta": "heaviside", "conjugate": "conj", "real": "re", "imag": "im",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
}  # fmt: skip


def unknown_name(node: syntax.Name, scope: Scope) -> Fault:
    """A name that is not declared, or not where this place can see it."""
    if node.id in FUNCTIONS or node.id in OPERATORS:
        return fault(
            "P104",
            node.span,
            f"`{node.id}` is a function, and it stands here without arguments",
            f"write `{node.id}(...)`, or declare a parameter of this name",
        )
    line = scope.source.position
    place = next((e for e in scope.elsewhere if e.name == node.id), None)
    if place is not None and place.kind == "a parameter":
        return fault(
            "P101",
            node.span,
            f"`{node.id}` is declared only after this line",
            "move its declaration up: parameters are read in order",
            label="not known yet",
            notes=(Note(f"it is declared in line {line(place.span.start)[0]}", place.span),),
        )
    if place is not None:
        return fault(
            "P311",
            node.span,
            f"a constant is wanted here, and `{node.id}` is {place.kind}",
            "use numbers and parameters only",
        )
    if scope.incomplete:
        return reported()
    similar = scope.similar(node.id, tuple(CONSTANTS))
    if similar is None:
        known = ", ".join(f"`{name}`" for name in scope.entities)
        return fault(
            "P101",
            node.span,
            f"`{node.id}` is not declared",
            "declare it in `fields`, `params` or `let`" + (f"; declared are {known}" if known else ""),
            label="unknown name",
        )
    entity = scope.entities.get(similar)
    if entity is None:
        meaning = "a constant of the language"
    else:
        meaning = f"{describe(entity)}, line {line(entity.span.start)[0]}"
    return fault(
        "P101",
        node.span,
        f"`{node.id}` is not declared",
        f"did you mean `{similar}` ({meaning})?",
        label="unknown name",
        edits=(Edit(node.span, similar),),
    )


def unknown_function(node: syntax.Call, scope: Scope) -> Fault:
    """A call of something that is no function, operator or definition."""
    name, span = node.function.id, node.function.span
    similar = _MEANT.get(name.lower()) or scope.similar(name, (*FUNCTIONS, *OPERATORS), 0.8)
    if scope.incomplete and similar is None:
        return reported()
    help = (
        f"did you mean `{similar}`?"
        if similar
        else f"write a function of the language, or define it in `let`, as `{name}(s) = ...`"
    )
    edits = (Edit(span, similar),) if similar else ()
    return fault(
        "P104",
        span,
        f"`{name}` is no function, operator or definition",
        help,
        label="unknown function",
        edits=edits,
    )
