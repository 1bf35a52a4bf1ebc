"""Functions of the `let` block that a solver takes as arrays on its grid: `solve { arrays = [c] }`."""

from collections.abc import Sequence
from difflib import get_close_matches

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.frontend.diagnostics import Report
from nablax.frontend.source import Span
from nablax.meaning.expressions import evaluate
from nablax.meaning.scope import Definition, Failed, Scope
from nablax.meaning.values import Fault, Value, fault, outside
from nablax.meaning.weights import names_in
from nablax.problem import Coefficient, Option
from nablax.reductions import Noise


def array_functions(
    solve: Sequence[Option], written: Sequence[Definition | Failed], scope: Scope, report: Report
) -> tuple[Coefficient, ...]:
    """The named definitions as coefficients that start from what the text says; faults are P428."""
    option = next((o for o in solve if o.name == "arrays"), None)
    if option is None or not isinstance(option.value, tuple):
        return ()
    found = []
    names = tuple(dict.fromkeys(str(name) for name in option.value))
    for name in names:
        try:
            found.append(_coefficient(name, names, written, scope, option.span))
        except Fault as error:
            (outside(option.given, error) if option.given else error).tell(report)
    return tuple(found)


def _coefficient(
    name: str, listed: Sequence[str], written: Sequence[Definition | Failed], scope: Scope, place: Span
) -> Coefficient:
    definition = next((d for d in written if d.name == name), None)
    if definition is None:
        similar = get_close_matches(name, [d.name for d in written], n=1)
        raise fault(
            "P428",
            place,
            f"`{name}` is no definition of the `let` block, and cannot be given as an array",
            f"did you mean `{similar[0]}`?" if similar else f"write `let {{ {name} = ... }}`",
        )
    if isinstance(definition, Failed):
        raise Fault(None)
    inner = _reached(definition, written)
    other = next((n for n in listed if n != name and n in inner), None)
    if other is not None:
        reason = f"it is made of `{other}`, which is to be an array itself"
        raise _refused(definition, reason, "list one of the two, and make the other from it in Python")
    axes = {a.name: a.symbol for a in scope.all_axes}
    for argument in definition.parameters or ():
        if argument not in axes:
            raise _refused(definition, f"its argument `{argument}` is no axis")
    bound: tuple[tuple[str, Value], ...] = tuple((a, axes[a]) for a in definition.parameters or ())
    value = evaluate(definition.body, scope.expand(definition, bound))
    if not isinstance(value, sp.Expr):
        raise _refused(definition, "it is no scalar")
    if value.has(AppliedUndef):
        raise _refused(definition, "it speaks of a field")
    if value.has(Noise) or value.has(sp.I):
        raise _refused(definition, "it holds noise" if value.has(Noise) else "it is complex")
    if scope.time is not None and scope.time.symbol in value.free_symbols:
        raise _refused(definition, f"it depends on `{scope.time.name}`")
    named = definition.parameters or tuple(a.name for a in scope.axes if a.symbol in value.free_symbols)
    if not named:
        raise _refused(definition, "it is the same everywhere: a number of the `params` block can be set")
    symbols = [a.symbol for a in scope.axes if a.name in named]
    if definition.parameters is not None and [axes[n] for n in named] != symbols:
        raise _refused(definition, "its arguments are not space axes in their order")
    function = sp.Function(name, real=True)(*symbols)
    return Coefficient(name, function, value, None, definition.span)


def _reached(definition: Definition, written: Sequence[Definition | Failed]) -> set[str]:
    """The names of all definitions that one is made of."""
    known = {d.name: d for d in written if isinstance(d, Definition)}
    reached: set[str] = set()
    pending = [definition]
    while pending:
        current = pending.pop()
        inner = names_in(current.body) & known.keys() - set(current.parameters or ()) - reached
        reached |= inner
        pending += [known[n] for n in inner]
    return reached


def _refused(
    definition: Definition,
    reason: str,
    advice: str = "arrays stand for real functions of space: `let { c(x) = 1 + x^2 }`",
) -> Fault:
    return fault(
        "P428",
        definition.span,
        f"`{definition.name}` cannot be given as an array on the grid: {reason}",
        advice,
    )
