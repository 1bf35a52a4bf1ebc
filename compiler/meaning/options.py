"""`solve`, `output`, `train`: named options whose values are words, numbers, lists and calls."""

from collections.abc import Mapping
from difflib import get_close_matches

import sympy as sp

from nablax.frontend import syntax
from nablax.frontend.diagnostics import Edit, Note, Report
from nablax.meaning.expressions import evaluate
from nablax.meaning.given import NOWHERE, Given
from nablax.meaning.scope import Scope
from nablax.meaning.values import Fault, VectorValue, fault, outside, reported
from nablax.problem import Field, Option, OptionCall, OptionValue

KNOWN: Mapping[str, tuple[str, ...]] = {
    "solve": ("method", "n", "order", "step", "dt", "tol", "dtype", "dealias", "tune", "time", "memory",
              "arrays"),
    "output": ("every", "save", "plot", "movie"),
    "train": (
        "model", "points", "derivatives", "weights", "steps", "seed", "sampler", "hard", "windows",
        "ensemble", "dtype", "batch", "time", "stop", "checkpoint", "quadrature",
        "trial",
    ),
}  # fmt: skip


def options(
    module: syntax.Module,
    block: str,
    scope: Scope,
    replaced: Mapping[str, Given],
    report: Report,
) -> tuple[Option, ...]:
    """The options of a block, `replaced` ones (from outside the text) last and winning."""
    found: dict[str, Option] = {}
    inside = module.block(block)
    for statement in inside.statements if inside else ():
        for clause in statement.clauses:
            try:
                if not (
                    isinstance(clause, syntax.Relation)
                    and clause.operator == "="
                    and isinstance(clause.left, syntax.Name)
                ):
                    raise reported()
                name = clause.left.id
                _check_name(name, clause.left, block)
                if name in found:
                    raise fault(
                        "P102",
                        clause.left.span,
                        f"`{name}` is set twice",
                        "keep one of the two lines",
                        label="second one",
                        notes=(Note(f"`{name}` is set here already", found[name].span),),
                    )
                found[name] = Option(name, _read(name, clause.right, scope), clause.span)
            except Fault as error:
                error.tell(report)
    for name, given in replaced.items():
        try:
            found[name] = replaced_option(name, given, scope)
        except Fault as error:
            error.tell(report)
    return tuple(found.values())


def replaced_option(name: str, given: Given, scope: Scope) -> Option:
    """An option from outside the text. Raises `Fault`."""
    try:
        return Option(name, _read(name, given.expression, scope), NOWHERE, given.text)
    except Fault as error:
        raise outside(given.text, error) from None


def _check_name(name: str, node: syntax.Name, block: str) -> None:
    if name in KNOWN[block]:
        return
    similar = get_close_matches(name, KNOWN[block], n=1)
    raise fault(
        "P404",
        node.span,
        f"`{name}` is no option of `{block}`",
        f"did you mean `{similar[0]}`?" if similar else f"the options are {', '.join(KNOWN[block])}",
        edits=(Edit(node.span, similar[0]),) if similar else (),
    )


def _read(name: str, node: syntax.Expression, scope: Scope) -> OptionValue:
    """The value of an option; of `arrays`, the names of definitions, which are not looked into."""
    if name != "arrays":
        return _value(node, scope)
    items = node.items if isinstance(node, syntax.List) else (node,)
    names = tuple(item.id for item in items if isinstance(item, syntax.Name))
    if len(names) < len(items):
        raise fault(
            "P428",
            node.span,
            "`arrays` names functions of the `let` block, and this is no list of names",
            "write `arrays = c` or `arrays = [c, f]`",
        )
    return names


def _value(node: syntax.Expression, scope: Scope) -> OptionValue:
    match node:
        case syntax.String():
            return node.value
        case syntax.List():
            return tuple(_value(item, scope) for item in node.items)
        case syntax.Name() if node.id not in scope.entities or isinstance(scope.entities[node.id], Field):
            return node.id
        case syntax.Call() if node.sugar is None and _is_word(node.function.id, scope):
            return _call(node, scope)
    value = evaluate(node, scope.at("expect"))
    if isinstance(value, VectorValue):
        return value.items
    return value


def _is_word(name: str, scope: Scope) -> bool:
    """A call that is no function of the language: `heatmap(u)`, `adam(20000)`."""
    from nablax.functions import FUNCTIONS
    from nablax.operators import OPERATORS

    return name not in FUNCTIONS and name not in OPERATORS and name not in scope.entities


def _call(node: syntax.Call, scope: Scope) -> OptionValue:
    positional: list[OptionValue] = []
    named: list[tuple[str, OptionValue]] = []
    for argument in node.arguments:
        value = argument.value
        if isinstance(value, syntax.Relation | syntax.Inside | syntax.Domain | syntax.Unknown):
            raise fault(
                "P105",
                value.span,
                f"`{node.function.id}` wants a value here, and this is a relation",
                "write `name = value`",
            )
        if argument.name is None:
            positional.append(_value(value, scope))
        else:
            named.append((argument.name.id, _value(value, scope)))
    return OptionCall(node.function.id, tuple(positional), tuple(named))


def number(option: Option, code: str = "P403") -> float:
    """The option's value as a float, or the fault that says it is none."""
    value = option.value
    if isinstance(value, sp.Expr) and value.is_number and value.is_real and value.is_finite:
        return float(value)
    raise fault(
        code, option.span, f"`{option.name}` is a number, and this is none", f"write `{option.name} = 0.1`"
    )
