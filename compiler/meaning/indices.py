"""Members of indexed families of axes: `x[k]`, `x[3]`."""

import sympy as sp

from nablax.families import member
from nablax.frontend import syntax
from nablax.frontend.walk import walk
from nablax.meaning.scope import Failed, Scope
from nablax.meaning.values import fault, reported
from nablax.problem import Axis


def indexed(node: syntax.Item, scope: Scope) -> sp.Symbol:
    """The member that an index names; the index is bound by a sum, or a number."""
    family = _family(node, scope)
    first, size = family.first, family.size or 0
    match node.index:
        case syntax.Name(id=name) if name in scope.indices:
            return member(family.symbol, name)
        case syntax.Number(value=value) if value.denominator == 1 and first <= value < first + size:
            return member(family.symbol, str(value))
    raise fault(
        "P109",
        node.index.span,
        f"`{scope.source.slice(node.index.span)}` is no index of `{family.name}`",
        f"use a number from {first} to {first + size - 1}, or an index bound by `sum(..., k)`",
        label="no index",
    )


def _family(node: syntax.Item, scope: Scope) -> Axis:
    name = node.base.id if isinstance(node.base, syntax.Name) else ""
    entity = scope.entities.get(name)
    if isinstance(entity, Axis) and entity.size is not None:
        return entity
    if isinstance(entity, Failed) or scope.incomplete:
        raise reported()
    if isinstance(node.base, syntax.Number):
        raise fault(
            "P109",
            node.base.span,
            f"`{scope.source.slice(node.base.span)}` is a number",
            f"units go in comments, `# {scope.source.slice(node.index.span)}`; an index belongs to a family "
            "of axes, such as `x[1]`",
            label="takes no index",
        )
    raise fault(
        "P109",
        node.base.span,
        f"`{scope.source.slice(node.base.span)}` is no family of axes",
        "declare one, such as `x[1..100] in [-1, 1]`, or leave the index out",
        label="takes no index",
    )


def family_of(body: syntax.Expression, index: str, scope: Scope) -> Axis:
    """The one family whose members the body names by this index."""
    found = {
        family.name: family
        for node in walk(body)
        if isinstance(node, syntax.Item) and isinstance(node.index, syntax.Name) and node.index.id == index
        for family in (_family(node, scope),)
    }
    if len(found) == 1:
        return next(iter(found.values()))
    what = "names members of two families" if found else "names no member of a family"
    raise fault(
        "P109",
        body.span,
        f"this {what} by `{index}`",
        "sum over one family at a time: `sum(x[k]^2, k)`",
        label="what is summed",
    )
