"""Expressions of the language to SymPy, ranks checked on the way."""

from dataclasses import replace

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.frontend import syntax
from nablax.frontend.diagnostics import Edit
from nablax.frontend.source import Span
from nablax.functions import CONSTANTS, FUNCTIONS
from nablax.geometry import differentiate
from nablax.limits import DERIVATIVE_ORDER, DIGITS
from nablax.meaning.scope import Definition, Scope, describe, splits
from nablax.meaning.values import Value, VectorValue, fault, rank_word
from nablax.operators import OPERATORS, Operator, Use
from nablax.problem import Axis, Field, Parameter
from nablax.reductions import Maximum, Minimum

RELATIONS = {"<": sp.StrictLessThan, ">": sp.StrictGreaterThan, "<=": sp.LessThan, ">=": sp.GreaterThan}
RESERVED = frozenset(OPERATORS) | frozenset(CONSTANTS) | {"d", "where", "sum"}


def scalar(node: syntax.Expression, scope: Scope) -> sp.Expr:
    """The value of an expression that must be a scalar."""
    value = evaluate(node, scope)
    if isinstance(value, VectorValue):
        raise fault("P202", node.span, "a scalar is wanted here, and this is a vector", "give one component")
    return value


def constant(node: syntax.Expression, scope: Scope) -> sp.Expr:
    """The value of an expression that must not depend on coordinates or fields."""
    value = scalar(node, scope)
    moving = value.atoms(AppliedUndef) or value.free_symbols & set(scope.symbols)
    if moving:
        name = sorted(str(m) for m in moving)[0]
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
            value = evaluate(node.operand, scope)
            return VectorValue(tuple(-c for c in value.items)) if isinstance(value, VectorValue) else -value
        case syntax.Binary():
            return _binary(node, scope)
        case syntax.Call():
            return _call(node, scope)
        case syntax.Partial():
            axes = _suffix(node.letters.id, node.letters.span, scope, "∂")
            return _derivative(evaluate(node.operand, scope), axes, node.operand, node.span, scope)
        case syntax.Component():
            return _component(node, scope)
        case syntax.Vector():
            return _vector(node, scope)
        case syntax.Absolute():
            return _modulus(node, scope)
        case syntax.Item() | syntax.Range():
            raise fault(
                "P402",
                node.span,
                "indexed axes are for residuals of networks, which are not available yet",
                "declare up to three axes by name",
            )
        case syntax.List():
            raise fault("P202", node.span, "a list is no value here", "write a vector as `(a, b)`")
        case syntax.String():
            raise fault("P202", node.span, "a text is no value here", "remove the quotes")


def _name(node: syntax.Name, scope: Scope) -> Value:
    for name, value in reversed(scope.bound):
        if name == node.id:
            return value
    entity = scope.entities.get(node.id)
    match entity:
        case Axis() | Parameter():
            return entity.symbol
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
        case None:
            pass
    if node.id in CONSTANTS:
        return CONSTANTS[node.id]
    base, underscore, letters = node.id.rpartition("_")
    if underscore and base in scope.entities and letters:
        axes = _suffix(letters, Span(node.span.end - len(letters), node.span.end), scope, "_")
        inner = syntax.Name(base, Span(node.span.start, node.span.start + len(base)))
        return _derivative(evaluate(inner, scope), axes, inner, node.span, scope)
    raise _unknown_name(node, scope)


def _refuse_unknown(node: syntax.Name, scope: Scope) -> None:
    if scope.role in ("initial", "constant"):
        where = "an initial value" if scope.role == "initial" else "a constant"
        raise fault(
            "P311",
            node.span,
            f"{where} cannot depend on the field `{node.id}`",
            "use coordinates, parameters and definitions only",
        )


def _unknown_name(node: syntax.Name, scope: Scope) -> Exception:
    similar = scope.similar(node.id, tuple(CONSTANTS))
    if node.id in FUNCTIONS or node.id in OPERATORS:
        return fault(
            "P104",
            node.span,
            f"`{node.id}` is a function, and it stands here without arguments",
            f"write `{node.id}(...)`, or declare a parameter of this name",
        )
    if similar is None:
        return fault(
            "P101",
            node.span,
            f"`{node.id}` is not declared",
            f"declare it in `fields`, `params` or `let`; declared are: {', '.join(scope.entities) or 'none'}",
            label="unknown name",
        )
    entity = scope.entities.get(similar)
    if entity is None:
        place = "a constant of the language"
    else:
        place = f"{describe(entity)}, line {scope.source.position(entity.span.start)[0]}"
    return fault(
        "P101",
        node.span,
        f"`{node.id}` is not declared",
        f"did you mean `{similar}` ({place})?",
        label="unknown name",
        edits=(Edit(node.span, similar),),
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
            return _add(node, left, right)
        case "*":
            return _multiply(node, left, right)
        case "/":
            return _divide(node, left, right)
        case "^":
            return _power(node, left, right)
        case operator:
            name = "dot" if operator == "·" else "cross"
            places = ((left, node.left.span), (right, node.right.span))
            return OPERATORS[name].apply(Use(name, places, {}, scope, node.span))


def _add(node: syntax.Binary, left: Value, right: Value) -> Value:
    sign = 1 if node.operator == "+" else -1
    if isinstance(left, VectorValue) and isinstance(right, VectorValue):
        return VectorValue(tuple(a + sign * b for a, b in zip(left.items, right.items, strict=True)))
    if isinstance(left, VectorValue) or isinstance(right, VectorValue):
        word = "added to" if sign == 1 else "subtracted from"
        first, second = (left, right) if sign == 1 else (right, left)
        raise fault(
            "P201",
            node.span,
            f"{rank_word(second)} is {word} {rank_word(first)}"
            if sign == -1
            else f"{rank_word(left)} is added to {rank_word(right)}",
            "make both scalars or both vectors: `grad`, `div`, `dot` and components (`U.x`) change the rank",
            label=f"left is {rank_word(left)}, right is {rank_word(right)}",
        )
    return left + sign * right


def _multiply(node: syntax.Binary, left: Value, right: Value) -> Value:
    if isinstance(left, VectorValue) and isinstance(right, VectorValue):
        raise fault(
            "P203",
            node.span,
            "two vectors are multiplied with `*`",
            "write `dot(a, b)` (a·b) or `cross(a, b)` (a×b)",
        )
    if isinstance(left, VectorValue):
        return VectorValue(tuple(c * right for c in left.items))
    if isinstance(right, VectorValue):
        return VectorValue(tuple(left * c for c in right.items))
    return _bounded(left * right, node.span)


def _divide(node: syntax.Binary, left: Value, right: Value) -> Value:
    if isinstance(right, VectorValue):
        raise fault("P203", node.right.span, "something is divided by a vector", "divide by a scalar")
    if right.is_zero:
        raise fault("P320", node.right.span, "this is a division by zero", "change the denominator")
    if isinstance(left, VectorValue):
        return VectorValue(tuple(c / right for c in left.items))
    return _bounded(left / right, node.span)


def _power(node: syntax.Binary, left: Value, right: Value) -> Value:
    if isinstance(right, VectorValue):
        raise fault("P203", node.right.span, "the exponent is a vector", "use a scalar exponent")
    if isinstance(left, VectorValue):
        if right == 2:
            return sp.Add(*(c * sp.conjugate(c) for c in left.items))
        raise fault("P203", node.left.span, "a vector is raised to a power", "write `dot(a, a)` for |a|²")
    if right.is_number and (not right.is_finite or abs(right) > 10**6):
        raise fault("P316", node.right.span, "this exponent is too large", "use an exponent below 10^6")
    if left.is_Rational and right.is_Rational:
        digits = max(len(str(abs(left.p))), len(str(left.q))) * abs(float(right))
        if digits > DIGITS:
            raise fault(
                "P316", node.span, f"this number has more than {DIGITS} digits", "use a smaller exponent"
            )
    if left.is_zero and right.is_negative:
        raise fault("P320", node.span, "this is a division by zero", "change the base or the exponent")
    return left**right


def _bounded(value: sp.Expr, span: Span) -> sp.Expr:
    if value.is_Rational and max(value.p.bit_length(), value.q.bit_length()) > 4 * DIGITS:
        raise fault("P316", span, f"this number has more than {DIGITS} digits", "use smaller numbers")
    return value


def _component(node: syntax.Component, scope: Scope) -> Value:
    base = evaluate(node.base, scope)
    names = tuple(a.name for a in scope.axes)
    letters = node.name.id
    first, _, suffix = letters.partition("_")
    if isinstance(base, VectorValue) and first in names:
        value = base.items[names.index(first)]
        if not suffix:
            return value
        axes = _suffix(suffix, node.name.span, scope, "_")
        return _derivative(value, axes, node, node.span, scope)
    if not isinstance(base, VectorValue):
        raise fault(
            "P202",
            node.span,
            f"`.{letters}` is taken of a scalar",
            "leave it out, or declare the field as a vector: `U: vector`",
        )
    raise fault(
        "P110",
        node.name.span,
        f"a vector has no component `{letters}`",
        f"the components are {', '.join(f'`.{n}`' for n in names)}",
    )


def _vector(node: syntax.Vector, scope: Scope) -> Value:
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


def _modulus(node: syntax.Absolute, scope: Scope) -> Value:
    value = evaluate(node.operand, scope)
    if isinstance(value, VectorValue):
        return sp.sqrt(sp.Add(*(c * sp.conjugate(c) for c in value.items)))
    return sp.Abs(value)


def _call(node: syntax.Call, scope: Scope) -> Value:
    name = node.function.id
    entity = scope.entities.get(name)
    if isinstance(entity, Definition):
        return _definition_call(node, entity, scope)
    if entity is not None and node.sugar is None:
        raise fault(
            "P104",
            node.function.span,
            f"`{name}` is {describe(entity)} and takes no arguments",
            f"write `{name}` for its value, or `{name}*(...)` for a product",
        )
    if name in ("max", "min") and len(node.arguments) == 1 and scope.role == "expect":
        value = _modulus_of_vector(_positional(node, scope)[0][0])
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
        raise fault("P402", node.span, "sums over indexed axes are not available yet", "write the sum out")
    if name == "file":
        raise fault("P402", node.span, "data from files are not available yet", "write a formula")
    if name.startswith("d") and len(name) > 1 and splits(name[1:], tuple(a.name for a in scope.all_axes)):
        ((value, _),) = _exactly(node, 1, scope)
        letters = Span(node.function.span.start + 1, node.function.span.end)
        axes = _suffix(name[1:], letters, scope, "d")
        return _derivative(value, axes, _argument(node, 0), node.span, scope)
    raise _unknown_function(node, scope)


def _modulus_of_vector(value: Value) -> sp.Expr:
    if isinstance(value, VectorValue):
        return sp.sqrt(sp.Add(*(c * sp.conjugate(c) for c in value.items)))
    return value


def _unknown_function(node: syntax.Call, scope: Scope) -> Exception:
    name = node.function.id
    if name.startswith("d") and 1 < len(name) <= 6 and name[1:].isalpha() and len(node.arguments) == 1:
        declared = ", ".join(a.name for a in scope.all_axes)
        missing = "" if scope.time or "t" not in name[1:] else "; without a `time` block there is no `t`"
        return fault(
            "P109",
            node.function.span,
            f"`{name}` names an axis that is not declared",
            f"the axes are {declared}{missing}",
            label=f"`{name[1:]}` is not made of axis names",
        )
    similar = scope.similar(name, (*FUNCTIONS, *OPERATORS))
    help = f"did you mean `{similar}`?" if similar else "functions are listed in docs/language.md"
    edits = (Edit(node.function.span, similar),) if similar else ()
    return fault("P104", node.function.span, f"`{name}` is no function or operator", help, edits=edits)


def _argument(node: syntax.Call, index: int) -> syntax.Expression:
    value = node.arguments[index].value
    if isinstance(value, syntax.Relation | syntax.Inside | syntax.Domain | syntax.Unknown):
        raise fault(
            "P105", value.span, f"`{node.function.id}` wants a value here, and this is a relation",
            "relations stand in `where(condition, a, b)`",
        )  # fmt: skip
    return value


def _positional(node: syntax.Call, scope: Scope) -> tuple[tuple[Value, Span], ...]:
    return tuple(
        (evaluate(_argument(node, k), scope), a.span) for k, a in enumerate(node.arguments) if a.name is None
    )


def _exactly(node: syntax.Call, count: int, scope: Scope) -> tuple[tuple[Value, Span], ...]:
    _count(node, count, count)
    return _positional(node, scope)


def _count(node: syntax.Call, least: int, most: int | None, options: tuple[str, ...] = ()) -> None:
    given = sum(a.name is None for a in node.arguments)
    name = node.function.id
    if given < least or (most is not None and given > most):
        wanted = f"{least}" if least == most else f"{least} to {most}" if most else f"at least {least}"
        raise fault(
            "P105",
            node.span,
            f"`{name}` takes {wanted} argument{'s' if wanted != '1' else ''}, and has {given}",
            f"see `{name}` in docs/language.md",
        )
    for argument in node.arguments:
        if argument.name is not None and argument.name.id not in options:
            raise fault(
                "P105",
                argument.span,
                f"`{name}` has no option `{argument.name.id}`",
                f"its options are: {', '.join(options)}" if options else "remove it",
            )


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
    _count(node, operator.least, operator.most, operator.options)
    options: dict[str, tuple[Value | str, Span]] = {}
    for k, argument in enumerate(node.arguments):
        if argument.name is not None:
            value = argument.value
            word = value.id if isinstance(value, syntax.Name) and value.id not in scope.entities else None
            options[argument.name.id] = (word or evaluate(_argument(node, k), scope), argument.span)
    use = Use(operator.name, _positional(node, scope), options, scope, node.span)
    return operator.apply(use)


def _function_call(node: syntax.Call, scope: Scope) -> Value:
    name = node.function.id
    entry = FUNCTIONS[name]
    if entry.names and all(a.name is not None and a.name.id in entry.names for a in node.arguments):
        node = replace(node, arguments=tuple(replace(a, name=None) for a in node.arguments))
    _count(node, entry.least, entry.most)
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
    if name in ("gamma", "besselj") and any(a.is_Rational and abs(a) > 170 for a in arguments):
        raise fault("P316", node.span, f"`{name}` of a number above 170 overflows", "use a smaller one")
    value = entry.build(*arguments)
    if value.has(sp.zoo, sp.nan):
        raise fault("P320", node.span, f"`{name}` has no value here", "change the argument")
    return value


def _where(node: syntax.Call, scope: Scope) -> Value:
    _count(node, 3, 3)
    clause = node.arguments[0].value
    if not isinstance(clause, syntax.Relation):
        raise fault(
            "P105",
            node.arguments[0].span,
            "the first argument of `where` is a condition",
            "write a relation, such as `x < 1`",
        )
    if clause.operator not in RELATIONS:
        raise fault(
            "P105", clause.span, f"`{clause.operator}` is no condition of `where`", "use <, <=, > or >="
        )
    condition = RELATIONS[clause.operator](scalar(clause.left, scope), scalar(clause.right, scope))
    then, otherwise = (scalar(_argument(node, k), scope) for k in (1, 2))
    return sp.Piecewise((then, condition), (otherwise, True))


def _general_derivative(node: syntax.Call, scope: Scope) -> Value:
    _count(node, 2, 3)
    value = evaluate(_argument(node, 0), scope)
    places = tuple((evaluate(_argument(node, k), scope), a.span) for k, a in enumerate(node.arguments))
    axis = Use("d", places, {}, scope, node.span).axis(1)
    order: sp.Expr = sp.S.One
    if len(places) == 3:
        order = constant(_argument(node, 2), scope)
        if not (order.is_Integer and order >= 0):
            raise fault(
                "P308",
                places[2][1],
                f"the order of this derivative is {order}, and `d` takes whole numbers",
                "use `caputo`, `rl` or `fraclap` for a fractional order",
            )
    if order > DERIVATIVE_ORDER:
        raise _too_high(int(order), node.span)
    return _derivative(value, (axis,) * int(order), _argument(node, 0), node.span, scope)


def _suffix(letters: str, span: Span, scope: Scope, form: str) -> tuple[sp.Symbol, ...]:
    names = tuple(a.name for a in scope.all_axes)
    ways = splits(letters, names)
    if len(ways) == 1:
        symbols = {a.name: a.symbol for a in scope.all_axes}
        return tuple(symbols[name] for name in ways[0])
    if not ways:
        raise fault(
            "P109",
            span,
            f"`{letters}` is not made of axis names",
            f"the axes are {', '.join(names)}",
            label="a derivative along an axis that is not declared",
        )
    readings = " and ".join("·".join(way) for way in ways)
    raise fault(
        "P108",
        span,
        f"`{letters}` can be split into axes in more than one way: {readings}",
        "write `d(u, x, 2)`, or rename an axis",
    )


def _too_high(order: int, span: Span) -> Exception:
    return fault(
        "P315",
        span,
        f"this derivative has order {order}, and the limit is {DERIVATIVE_ORDER}",
        "lower the order",
    )


def _derivative(
    value: Value, symbols: tuple[sp.Symbol, ...], operand: syntax.Expression, span: Span, scope: Scope
) -> Value:
    if len(symbols) > DERIVATIVE_ORDER:
        raise _too_high(len(symbols), span)
    if isinstance(value, VectorValue):
        return VectorValue(tuple(_derivative_scalar(c, symbols) for c in value.items))
    if not (value.has(AppliedUndef) or value.free_symbols & set(scope.symbols)):
        text = scope.source.slice(operand.span).strip()
        entity = scope.entities.get(text)
        what = f"`{text}`, {describe(entity)}," if entity else f"`{text}`"
        raise fault(
            "P109",
            span,
            f"the derivative of {what} is zero: it depends on no axis",
            "differentiate a field or an expression of the coordinates",
            label="derivative of a constant",
        )
    result = _derivative_scalar(value, symbols)
    if result.has(sp.DiracDelta, sp.Subs):
        raise fault(
            "P309",
            span,
            "a function with a jump is differentiated",
            "use a smooth function, such as `tanh((x - a)/w)`",
        )
    return result


def _derivative_scalar(value: sp.Expr, symbols: tuple[sp.Symbol, ...]) -> sp.Expr:
    for symbol in dict.fromkeys(symbols):
        value = differentiate(value, symbol, symbols.count(symbol))
    return value
