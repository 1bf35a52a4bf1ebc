"""How large a statement becomes when its definitions are written out, known before it is.

Ten lines of `a = b + b; b = c + c; ...` would take a machine down otherwise. A weight is a number of
syntax nodes, linear in the weights of the arguments that a definition has.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nablax.frontend import syntax
from nablax.frontend.walk import Node, children
from nablax.limits import WRITTEN_PARTS
from nablax.meaning.scope import Definition

_MOST = 1000 * WRITTEN_PARTS  # counting ends here


@dataclass(frozen=True, slots=True)
class Weight:
    """`own` nodes, and `times[p]` copies of the argument p; `parameters` gives their order."""

    own: int
    times: Mapping[str, int]
    parameters: tuple[str, ...] = ()


NOTHING = Weight(0, {})


def _plus(a: Weight, b: Weight, factor: int = 1) -> Weight:
    times = dict(a.times)
    for name, count in b.times.items():
        times[name] = min(_MOST, times.get(name, 0) + factor * count)
    return Weight(min(_MOST, a.own + factor * b.own), times, a.parameters)


def definition_weights(definitions: tuple[Definition, ...]) -> dict[str, Weight]:
    """The weight of every definition; one that reaches itself counts as nothing (P106 speaks of it)."""
    by_name = {d.name: d for d in definitions}
    found: dict[str, Weight] = {}

    def visit(name: str, active: frozenset[str]) -> Weight:
        if name in found:
            return found[name]
        if name in active or len(active) > 100:
            return NOTHING
        definition = by_name[name]
        inner = {n: visit(n, active | {name}) for n in names_in(definition.body) & by_name.keys()}
        # One that is too large is reported where it stands, and counts for nothing further up.
        inner = {n: w for n, w in inner.items() if w.own <= WRITTEN_PARTS}
        body = weigh(definition.body, inner, frozenset(definition.parameters or ()))
        found[name] = replace(body, parameters=definition.parameters or ())
        return found[name]

    for name in by_name:
        visit(name, frozenset())
    return found


def names_in(node: Node) -> set[str]:
    """Every name that stands in a node."""
    pending, names = [node], set()
    while pending:
        current = pending.pop()
        if isinstance(current, syntax.Name):
            names.add(current.id)
        pending.extend(children(current))
    return names


def weigh(node: Node, definitions: Mapping[str, Weight], parameters: frozenset[str] = frozenset()) -> Weight:
    """The weight of a node; `parameters` are the arguments of the definition it is the body of."""
    if isinstance(node, syntax.Name):
        if node.id in parameters:
            return Weight(0, {node.id: 1})
        return definitions.get(node.id, Weight(1, {}))
    total = Weight(1, {})
    if isinstance(node, syntax.Call) and node.function.id in definitions:
        called = definitions[node.function.id]
        total = _plus(total, Weight(called.own, {}))
        for k, argument in enumerate(node.arguments):
            copies = called.times.get(called.parameters[k], 0) if k < len(called.parameters) else 0
            total = _plus(total, weigh(argument.value, definitions, parameters), max(1, copies))
        return total
    for inner in children(node):
        total = _plus(total, weigh(inner, definitions, parameters))
    return total
