"""Expressions of the language to SymPy, ranks checked on the way."""

from dataclasses import replace

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax import families
from nablax.frontend import syntax
from nablax.frontend.diagnostics import Edit
from nablax.frontend.source import Span
from nablax.functions import CONSTANTS, FUNCTIONS
from nablax.limits import DERIVATIVE_ORDER, checked
from nablax.meaning.arguments import (
    RESERVED,
    argument_of,
    binding,
    check_arguments,
    check_count,
    check_ordered,
    is_derivative,
)
from nablax.meaning.arithmetic import add, bounded, divide, modulus, multiply, negate, power
from nablax.meaning.derivatives import derivative, guarded, suffix, too_high, whole_family
from nablax.meaning.files import file_value
from nablax.meaning.indices import family_of, indexed
from nablax.meaning.names import unknown_function, unknown_name
from nablax.meaning.scope import Definition, Failed, Scope, describe, splits
from nablax.meaning.values import Fault, Value, VectorValue, fault, rank_word, reported, shown
from nablax.operator_use import Operator, Use
from nablax.operators import OPERATORS
from nablax.problem import Axis, Coefficient, Field, Parameter
from nablax.reductions import Maximum, Minimum

RELATIONS = {"<": sp.StrictLessThan, ">": sp.StrictGreaterThan, "<=": sp.LessThan, ">=": sp.GreaterThan}
_KNOWN = {"initial": "an initial value", "constant": "a constant", "space": "a region"}


def scalar(node: syntax.Expression, scope: Scope) -> sp.Expr:
    """The value of an expression that must be a scalar."""
    value = evaluate(node, scope)
    if isinstance(value, VectorValue):
        raise fault(
            "P202",
            node.span,
            "a scalar is wanted here, and this is a vector",
            f"give one component, such as `.{scope.axes[0].name}`" if scope.axes else "give one component",
            label="a vector",
        )
    return value


def constant(node: syntax.Expression, scope: Scope) -> sp.Expr:
    """The value of an expression that must not depend on coordinates or fields."""
    value = scalar(node, scope)
    moving = value.atoms(AppliedUndef) or value.free_symbols & set(scope.symbols)
    if moving:
        # A field's value shows its arguments; its name is what the text holds.
        name = sorted(m.func.__name__ if isinstance(m, AppliedUndef) else str(m) for m in moving)[0]
        raise fault(
            "P311",
            node.span,
            f"a constant is wanted here, and this depends on `{name}`",
            "use numbers and parameters only",
        )
    return value


def evaluate(node: syntax.Expression, scope: Scope) -> Value:
    """The meaning of an expression; raises a `Fault` where it has none."""
    match node:
        case syntax.Number():
            return sp.Rational(node.value.numerator, node.value.denominator)
        case syntax.Name():
            return _name(node, scope)
        case syntax.Negate():
            return negate(evaluate(node.operand, scope))
        case syntax.Binary():
            return _binary(node, scope)
        case syntax.Call():
            return _call(node, scope)
        case syntax.Partial():
            axes = suffix(node.letters.id, node.letters.span, scope)
            return derivative(evaluate(node.operand, scope), axes, node.operand, node.span, scope)
        case syntax.Component():
            return _component(node, scope)
        case syntax.Vector():
            return _vector(node, scope)
        case syntax.Absolute():
            return modulus(evaluate(node.operand, scope))
        case syntax.Item():
            return indexed(node, scope)
        case syntax.Range():
            raise fault(
                "P202", node.span, "a range of indices is no value here", "ranges declare axes: `x[1..100]`"
            )
        case syntax.List():
            if any(isinstance(item, syntax.List) for item in node.items):
                raise _tensor(node.span, scope)
            raise fault("P202", node.span, "a list is no value here", "write a vector as `(a, b)`")
        case syntax.String():
            raise fault("P202", node.span, "a text is no value here", "remove the quotes")


def _name(node: syntax.Name, scope: Scope) -> Value:
    for name, value in reversed(scope.bound):
        if name == node.id:
            return value
    entity = scope.entities.get(node.id)
    match entity:
        case Axis(size=int()):
            raise whole_family(entity, node.span)
        case Axis() | Parameter():
            return entity.symbol
        case Coefficient():
            return entity.value
        case Field(rank=0):
            _refuse_unknown(node, scope)
            return entity.components[0].value
        case Field():
            _refuse_unknown(node, scope)
            return VectorValue(tuple(c.value for c in entity.components))
        case Definition(parameters=None):
            return _expand(entity, (), node.span, scope)
        case Definition():
            raise fault(
                "P105",
                node.span,
                f"`{node.id}` is a definition with arguments, and none are given",
                f"write `{node.id}({', '.join(entity.parameters or ())})`",
            )
        case Failed():
            raise reported()
        case None:
            pass
    if node.id in CONSTANTS:
        return CONSTANTS[node.id]
    base, underscore, letters = node.id.rpartition("_")
    if underscore and base in scope.entities and letters:
        # A Greek name is shorter in the text than its canonical one: count from the sign between the two.
        cut = node.span.start + max(scope.source.slice(node.span).rfind("_"), 0)
        inner = syntax.Name(base, Span(node.span.start, cut))
        axes = suffix(letters, Span(cut + 1, node.span.end), scope)
        return derivative(evaluate(inner, scope), axes, inner, node.span, scope)
    raise unknown_name(node, scope)


def _refuse_unknown(node: syntax.Name, scope: Scope) -> None:
    if scope.role in _KNOWN:
        raise fault(
            "P311",
            node.span,
            f"{_KNOWN[scope.role]} cannot depend on the field `{node.id}`",
            "use coordinates, parameters and definitions only",
        )


def _expand(
    definition: Definition, arguments: tuple[tuple[str, Value], ...], span: Span, scope: Scope
) -> Value:
    if definition.name in scope.expanding:
        chain = " → ".join((*scope.expanding, definition.name))
        raise fault("P106", span, f"`{definition.name}` is defined by itself: {chain}", "break the circle")
    if len(scope.expanding) > 40:
        raise fault("P106", span, "definitions nest deeper than 40", "write some of them out")
    return evaluate(definition.body, scope.expand(definition, arguments))


def _binary(node: syntax.Binary, scope: Scope) -> Value:
    left, right = evaluate(node.left, scope), evaluate(node.right, scope)
    match node.operator:
        case "+" | "-":
            return add(node, left, right)
        case "*":
            return multiply(node, left, right)
        case "/":
            return divide(node, left, right)
        case "^":
            return power(node, left, right)
        case operator:
            if not (isinstance(left, VectorValue) and isinstance(right, VectorValue)):
                raise _no_vectors(node, scope)
            name = "dot" if operator == "·" else "cross"
            places = ((left, node.left.span), (right, node.right.span))
            return OPERATORS[name].apply(Use(name, places, {}, scope, node.span))


def _no_vectors(node: syntax.Binary, scope: Scope) -> Fault:
    """`2·u`: the sign of the product of papers, where a vector product is read."""
    between = Span(node.left.span.end, node.right.span.start)
    written = scope.source.slice(between)
    sign = next((i for i, c in enumerate(written) if c in "·⋅×"), None)
    edits = () if sign is None else (Edit(Span(between.start + sign, between.start + sign + 1), "*"),)
    what = "dot" if node.operator == "·" else "cross"
    return fault(
        "P202",
        node.span,
        f"`{node.operator}` is the {what} product of two vectors, and there are not two here",
        "write `*` for a product with a scalar",
        edits=edits,
    )


def _component(node: syntax.Component, scope: Scope) -> Value:
    base = evaluate(node.base, scope)
    names = tuple(a.name for a in scope.axes)
    letters = node.name.id
    first, _, rest = letters.partition("_")
    if isinstance(base, VectorValue) and first in names:
        value = base.items[names.index(first)]
        if not rest:
            return value
        axes = suffix(rest, Span(node.name.span.end - len(rest), node.name.span.end), scope)
        return derivative(value, axes, node, node.span, scope)
    if not isinstance(base, VectorValue):
        axes, space = (tuple(a.name for a in group) for group in (scope.all_axes, scope.axes))
        derived = splits(letters, axes) and letters not in space and isinstance(node.base, syntax.Name)
        raise fault(
            "P202",
            node.span,
            f"`.{letters}` is taken of a scalar",
            f"a derivative is `{scope.source.slice(node.base.span)}_{letters}`"
            if derived
            else "leave it out, or declare the field as a vector: `U: vector`",
            edits=(Edit(Span(node.base.span.end, node.name.span.start), "_"),) if derived else (),
        )
    raise fault(
        "P110",
        node.name.span,
        f"a vector has no component `{letters}`",
        f"the components are {', '.join(f'`.{n}`' for n in names)}",
    )


def _tensor(span: Span, scope: Scope) -> Fault:
    """Rows of rows: anisotropic diffusion is written by the components of its flux."""
    x, y = ([a.name for a in scope.axes] + ["x", "y"])[:2] if len(scope.axes) > 1 else ("x", "y")
    return fault(
        "P202",
        span,
        "a tensor is no value of the language",
        "write the product with it by components, as in "
        f"`div((a*d{x}(u) + b*d{y}(u), b*d{x}(u) + c*d{y}(u)))` for the entries a, b, b, c",
        label="a tensor",
    )


def _vector(node: syntax.Vector, scope: Scope) -> Value:
    if any(isinstance(item, syntax.Vector) for item in node.items):
        raise _tensor(node.span, scope)
    dimension = scope.geometry.dimension
    if len(node.items) != dimension:
        raise fault(
            "P204",
            node.span,
            f"this vector has {len(node.items)} components, and the space has {dimension} "
            + ("axis" if dimension == 1 else "axes"),
            f"give one component per axis: {', '.join(a.name for a in scope.axes)}",
        )
    return VectorValue(tuple(scalar(item, scope) for item in node.items))


def _call(node: syntax.Call, scope: Scope) -> Value:
    name = node.function.id
    entity = scope.entities.get(name)
    if isinstance(entity, Failed) and name in RESERVED:
        entity = None  # as a call it means what the language says
    if isinstance(entity, Failed) and name not in FUNCTIONS:
        raise reported()
    if isinstance(entity, Definition):
        return _definition_call(node, entity, scope)
    if isinstance(entity, Coefficient) and node.sugar is None:
        return _coefficient_call(node, entity, scope)
    if entity is not None and node.sugar is None and name not in FUNCTIONS:
        raise fault(
            "P104",
            node.function.span,
            f"`{name}` is {describe(entity)} and takes no arguments",
            f"write `{name}` for its values at every place, or a number made of them: `max({name})`, "
            f"`mean({name})`, `integral({name})`"
            if scope.role == "expect" and isinstance(entity, Field)
            else f"write `{name}` for its value, or `{name}*(...)` for a product",
        )
    if name in ("max", "min") and len(node.arguments) == 1 and scope.role == "expect":
        value = _magnitude(_positional(node, scope)[0][0])
        return Maximum(value) if name == "max" else Minimum(value)
    if name in OPERATORS:
        return _operator_call(node, OPERATORS[name], scope)
    if name in FUNCTIONS:
        return _function_call(node, scope)
    if name == "d":
        return _general_derivative(node, scope)
    if name == "where":
        return _where(node, scope)
    if name == "sum":
        return _sum(node, scope)
    if name == "file":
        return file_value(node, scope)
    if is_derivative(node, scope):
        letters = Span(node.function.span.start + 1, node.function.span.end)
        axes = suffix(name[1:], letters, scope)
        ((value, _),) = _exactly(node, 1, scope)
        return derivative(value, axes, argument_of(node, 0), node.span, scope)
    raise unknown_function(node, scope)


def _positional(node: syntax.Call, scope: Scope) -> tuple[tuple[Value, Span], ...]:
    return tuple(
        (evaluate(argument_of(node, k), scope), a.span)
        for k, a in enumerate(node.arguments)
        if a.name is None
    )


def _exactly(node: syntax.Call, count: int, scope: Scope) -> tuple[tuple[Value, Span], ...]:
    check_count(node, count, count)
    return _positional(node, scope)


def _magnitude(value: Value) -> sp.Expr:
    return modulus(value) if isinstance(value, VectorValue) else value


def _definition_call(node: syntax.Call, definition: Definition, scope: Scope) -> Value:
    if definition.parameters is None:
        raise fault(
            "P105",
            node.span,
            f"`{definition.name}` is a definition without arguments",
            f"write `{definition.name}` for its value, or `{definition.name}*(...)` for a product",
        )
    values = _exactly(node, len(definition.parameters), scope)
    arguments = tuple((p, v) for p, (v, _) in zip(definition.parameters, values, strict=True))
    return _expand(definition, arguments, node.span, scope)


def _operator_call(node: syntax.Call, operator: Operator, scope: Scope) -> Value:
    check_count(node, operator.least, operator.most, operator.options)
    options: dict[str, tuple[Value | str, Span]] = {}
    for k, argument in enumerate(node.arguments):
        if argument.name is not None:
            value = argument.value
            word = value.id if isinstance(value, syntax.Name) and value.id not in scope.entities else None
            options[argument.name.id] = (word or evaluate(argument_of(node, k), scope), argument.span)
    use = Use(operator.name, _positional(node, binding(node, operator, scope)), options, scope, node.span)
    return guarded(lambda: operator.apply(use), node.span)


def _function_call(node: syntax.Call, scope: Scope) -> Value:
    name = node.function.id
    entry = FUNCTIONS[name]
    if entry.names and all(a.name is not None and a.name.id in entry.names for a in node.arguments):
        node = replace(node, arguments=tuple(replace(a, name=None) for a in node.arguments))
    check_count(node, entry.least, entry.most)
    arguments = []
    for value, span in _positional(node, scope):
        if isinstance(value, VectorValue):
            raise fault("P202", span, f"`{name}` takes scalars, and this is a vector", "give one component")
        arguments.append(value)
    if name == "noise" and scope.role not in ("initial", "let"):
        raise fault(
            "P311",
            node.span,
            "`noise` makes initial data, and stands elsewhere",
            "use it in the `initial` block",
        )
    check_arguments(node, tuple(arguments), scope)
    value = bounded(entry.build(*arguments), node.span)
    if value.has(sp.zoo, sp.nan):
        raise fault("P320", node.span, f"`{name}` has no value here", "change the argument")
    return value


def _coefficient_call(node: syntax.Call, entity: Coefficient, scope: Scope) -> Value:
    """`C(x)` is `C`: an unknown field has its own arguments and no others."""
    values = tuple(value for value, _ in _exactly(node, len(entity.value.args), scope))
    if values != entity.value.args:
        names = ", ".join(str(a) for a in entity.value.args)
        raise fault(
            "P105",
            node.span,
            f"`{entity.name}` is declared as a function of {names}, and is asked for at another place",
            f"write `{entity.name}`",
        )
    return entity.value


def _sum(node: syntax.Call, scope: Scope) -> Value:
    """`sum(x[k]^2, k)` over the members of a family."""
    check_count(node, 2, 2)
    index = argument_of(node, 1)
    if not isinstance(index, syntax.Name) or index.id in scope.entities or index.id in scope.indices:
        raise fault(
            "P109",
            index.span,
            "the second argument of `sum` is a new name for the index",
            "write `sum(x[k]^2, k)`",
            label="no new name",
        )
    body = argument_of(node, 0)
    family = family_of(body, index.id, scope)
    value = scalar(body, replace(scope, indices=(*scope.indices, index.id)))
    bound = families.member(family.symbol, index.id)
    return families.family_sum(value, bound, family.symbol, sp.Integer(family.size or 1))


def _where(node: syntax.Call, scope: Scope) -> Value:
    check_count(node, 3, 3)
    clause = node.arguments[0].value
    if not isinstance(clause, syntax.Relation):
        raise fault(
            "P105",
            node.arguments[0].span,
            "the first argument of `where` is a condition",
            "write a relation, such as `x < 1`",
            label="no relation",
        )
    if clause.operator not in RELATIONS:
        raise fault(
            "P105", clause.span, f"`{clause.operator}` is no condition of `where`", "use <, <=, > or >="
        )
    sides = tuple(scalar(side, scope) for side in (clause.left, clause.right))
    for value, side in zip(sides, (clause.left, clause.right), strict=True):
        check_ordered(value, side.span, "a condition")
    condition = RELATIONS[clause.operator](*sides)
    then, otherwise = (evaluate(argument_of(node, k), scope) for k in (1, 2))
    if not isinstance(then, VectorValue) and not isinstance(otherwise, VectorValue):
        return sp.Piecewise((then, condition), (otherwise, True))
    dimension = scope.geometry.dimension
    pairs = []
    for value, other in ((then, otherwise), (otherwise, then)):
        if isinstance(value, VectorValue):
            pairs.append(value.items)
        elif value == 0:
            pairs.append((sp.S.Zero,) * dimension)
        else:
            k = 2 if value is otherwise else 1
            raise fault(
                "P201",
                node.arguments[k].span,
                f"this is {rank_word(value)}, and the other case of `where` is {rank_word(other)}",
                "make both cases scalars or both vectors",
                label=rank_word(value),
            )
    return VectorValue(tuple(sp.Piecewise((a, condition), (b, True)) for a, b in zip(*pairs, strict=True)))


def _general_derivative(node: syntax.Call, scope: Scope) -> Value:
    check_count(node, 2, 3)
    name = argument_of(node, 1)
    known = (*scope.entities, *(n for n, _ in scope.bound))
    if isinstance(name, syntax.Name) and name.id not in known:
        suffix(name.id, name.span, scope)  # says which axes there are
    value = evaluate(argument_of(node, 0), scope)
    if isinstance(name, syntax.Item):
        return _along_member(node, value, name, scope)
    places = tuple((evaluate(argument_of(node, k), scope), a.span) for k, a in enumerate(node.arguments))
    axis = Use("d", places, {}, scope, node.span).axis(1)
    return derivative(value, (axis,) * _order(node, scope), argument_of(node, 0), node.span, scope)


def _order(node: syntax.Call, scope: Scope) -> int:
    """The third argument of `d`, 1 by default."""
    if len(node.arguments) < 3:
        return 1
    order = constant(argument_of(node, 2), scope)
    if not (order.is_Integer and order >= 0):
        raise fault(
            "P308",
            node.arguments[2].span,
            f"the order of this derivative is {shown(order)}, and `d` takes whole numbers",
            "use `caputo`, `rl` or `fraclap` for a fractional order",
        )
    if order > DERIVATIVE_ORDER:
        raise too_high(int(order), node.span)
    return int(order)


def _along_member(node: syntax.Call, value: Value, name: syntax.Item, scope: Scope) -> Value:
    """`d(u, x[k], 2)`: a derivative along one member of a family."""
    place = indexed(name, scope)
    family = next(a.symbol for a in scope.axes if families.is_member(place, a.symbol))
    order = _order(node, scope)

    def build() -> Value:
        result = scalar(argument_of(node, 0), scope) if isinstance(value, VectorValue) else value
        for _ in range(order):
            result = families.along(checked(result), place, family)
        return result

    return guarded(build, node.span)
