"""Names that stand for nothing: what the message says about them."""

from nablax.frontend import syntax
from nablax.frontend.diagnostics import Edit, Note
from nablax.frontend.names import canonical_name, look_alike
from nablax.frontend.source import Span
from nablax.functions import CONSTANTS, FUNCTIONS
from nablax.meaning.scope import Scope, describe, splits
from nablax.meaning.values import Fault, fault, reported
from nablax.operators import OPERATORS
from nablax.problem import Field

# Names from other tools.
_MEANT = {
    "ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "sgn": "sign",
    "fabs": "abs", "laplace": "laplacian", "lap": "laplacian", "gradient": "grad", "nabla": "grad",
    "divergence": "div", "rot": "curl", "average": "mean", "avg": "mean", "maximum": "max", "minimum": "min",
    "ceiling": "ceil", "theta": "heaviside", "conjugate": "conj", "real": "re", "imag": "im",
    "nabla2": "laplacian", "del2": "laplacian", "lap2": "biharmonic",
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
    meant = _joined_derivative(node.id, scope)
    if meant is not None:
        return _undeclared(node.id, node.span, f"write `{meant}` for the derivative", meant)
    product = _product(node, scope)
    if product is not None:
        written, help = scope.source.slice(node.span), f"write `{product}` for the product"
        return _undeclared(written, node.span, help, product, label="read as one name")
    similar = scope.similar(node.id, tuple(CONSTANTS))
    if similar is None:
        known = ", ".join(f"`{name}`" for name in scope.entities)
        twin = next((name for name in scope.entities if look_alike(name, node.id)), None)
        if twin is not None:
            help = f"`{twin}`, which is, has letters of another script that look the same: write both in one"
            return _undeclared(node.id, node.span, help)
        help = "declare it in `fields`, `params` or `let`" + (f"; declared are {known}" if known else "")
        return _undeclared(node.id, node.span, help)
    entity = scope.entities.get(similar)
    if entity is None:
        meaning = "a constant of the language"
    else:
        meaning = f"{describe(entity)}, line {line(entity.span.start)[0]}"
    return _undeclared(node.id, node.span, f"did you mean `{similar}` ({meaning})?", similar)


def _undeclared(
    written: str, span: Span, help: str, instead: str | None = None, label: str = "unknown name"
) -> Fault:
    edits = () if instead is None else (Edit(span, instead),)
    return fault("P101", span, f"`{written}` is not declared", help, label=label, edits=edits)


def _product(node: syntax.Name, scope: Scope) -> str | None:
    """`π*x` for `πx`: two names that are known, without a sign between them."""
    text = scope.source.text
    written = scope.source.slice(node.span)
    for cut in range(len(written) - 1, 0, -1):
        parts = (written[:cut], written[cut:])
        if parts[0].endswith(parts[1]):
            continue  # a letter that was typed twice
        if all((name := canonical_name(p)) == "pi" or name in scope.entities for p in parts):
            product = "*".join(parts)
            divided = text[: node.span.start].rstrip().endswith(("/", "^"))
            return f"({product})" if divided else product
    return None


def _joined_derivative(name: str, scope: Scope) -> str | None:
    """The derivative that a name without signs means: `u_xx` for `uxx`, `dtt(u)` for `d2udt2`."""
    axes = tuple(a.name for a in scope.all_axes)
    fields = [n for n, e in scope.entities.items() if isinstance(e, Field)]
    for field in sorted(fields, key=len, reverse=True):
        letters = name.removeprefix(field)
        if letters and letters != name and splits(letters, axes):
            return f"{field}_{letters}"
        for axis in axes:
            for order in range(1, 5):
                times = str(order) if order > 1 else ""
                if name == f"d{times}{field}d{axis}{times}":
                    return f"d{axis * order}({field})"
    return None


def _numbered_derivative(name: str, scope: Scope) -> str | None:
    """`dxx` for the `dx2` and `d2x` of other tools."""
    for axis in (a.name for a in scope.all_axes):
        for order in range(2, 5):
            if name in (f"d{order}{axis}", f"d{axis}{order}", f"d{order}d{axis}{order}", f"d_{axis * order}"):
                return f"d{axis * order}"
    return None


def unknown_function(node: syntax.Call, scope: Scope) -> Fault:
    """A call of something that is no function, operator or definition."""
    name, span = node.function.id, node.function.span
    similar = (
        _MEANT.get(name.lower())
        or _numbered_derivative(name, scope)
        or scope.similar(name, (*FUNCTIONS, *OPERATORS), 0.8)
    )
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
