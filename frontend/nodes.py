"""What the grammar's rules build: syntax nodes. Sugar becomes a call of the operator it stands for."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

from lark import Token, Transformer, v_args

from nablax.frontend.limits import EXPRESSION_DEPTH
from nablax.frontend.names import canonical_name
from nablax.frontend.source import Span
from nablax.frontend.syntax import (
    Absolute,
    Argument,
    Binary,
    Call,
    Clause,
    Component,
    Domain,
    Expression,
    Inside,
    Item,
    List,
    Name,
    Negate,
    Number,
    Partial,
    Range,
    Relation,
    Statement,
    String,
    Unknown,
    Vector,
)

T = TypeVar("T", covariant=True)


@dataclass(frozen=True, slots=True)
class Built(Generic[T]):
    """A node with the text it takes up, brackets around it included, and the depth of its tree."""

    node: T
    span: Span
    depth: int


Value = Built[Expression]
_OPERATORS = {"∇": "grad", "∇·": "div", "∇×": "curl", "Δ": "laplacian", "∇²": "laplacian"} | {
    "Δ²": "biharmonic",
    "∇⁴": "biharmonic",
}


def _span(token: Token) -> Span:
    return Span(token.start_pos or 0, token.end_pos or 0)


def _depth(*parts: Built[object] | None) -> int:
    return 1 + max((part.depth for part in parts if part is not None), default=0)


def _nest(node: Expression, inner: Value, *others: Value) -> Value:
    """A node over others; over the depth limit the first of them instead, which keeps the tree shallow.

    The parser reports a depth over the limit, so nobody sees the shortened tree.
    """
    depth = _depth(inner, *others)
    if depth > EXPRESSION_DEPTH:
        return Built(inner.node, node.span, depth)
    return Built(node, node.span, depth)


def _name(token: Token) -> Name:
    return Name(str(token), _span(token))


def _operator_call(name: str, operator: Span, sugar: str, span: Span, *operands: Value) -> Value:
    arguments = tuple(Argument(None, operand.node, operand.span) for operand in operands)
    return _nest(Call(Name(name, operator), arguments, span, sugar), *operands)


@v_args(inline=True)
class NodeBuilder(Transformer[Token, Built[Statement]]):
    """One method per rule of `pde.lark`, called by the parser as it reduces; holds no state."""

    def statement(
        self,
        label: Token | None,
        first: tuple[Built[Clause], ...],
        colon: Token | None,
        second: tuple[Built[Clause], ...] | None,
    ) -> Built[Statement]:
        where, clauses = (first, second) if second is not None else ((), first)
        parts = (*where, *clauses)
        span = parts[0].span.join(parts[-1].span)
        if label is not None:
            span = span.join(_span(label))
        node = Statement(
            Name(str(label), Span(_span(label).start + 1, _span(label).end - 1))
            if label is not None
            else None,
            tuple(part.node for part in where),
            tuple(part.node for part in clauses),
            span,
        )
        return Built(node, span, _depth(*parts))

    def clauses(self, *clauses: Built[Clause]) -> tuple[Built[Clause], ...]:
        return clauses

    def inside(self, word: Token, relation: Built[Relation]) -> Built[Clause]:
        span = _span(word).join(relation.span)
        return Built(Inside(relation.node, span), span, _depth(relation))

    def domain(
        self, target: Value, word: Token, interval: Built[List], qualifier: Token | None
    ) -> Built[Clause]:
        span = target.span.join(interval.span if qualifier is None else _span(qualifier))
        word_after = _name(qualifier) if qualifier is not None else None
        node = Domain(target.node, interval.node, word_after, span)
        return Built(node, span, _depth(target, interval))

    def unknown(
        self, target: Value, tilde: Token, start: Value, word: Token | None, interval: Built[List] | None
    ) -> Built[Clause]:
        span = target.span.join(start.span if interval is None else interval.span)
        node = Unknown(target.node, start.node, interval.node if interval is not None else None, span)
        return Built(node, span, _depth(target, start, interval))

    def relation(
        self,
        always: Token | None,
        left: Value,
        operator: Token,
        right: Value,
        word: Token | None,
        within: Value | None,
    ) -> Built[Relation]:
        span = left.span.join(right.span if within is None else within.span)
        if always is not None:
            span = span.join(_span(always))
        tolerance = within.node if within is not None else None
        node = Relation(left.node, str(operator), right.node, always is not None, tolerance, span)
        return Built(node, span, _depth(left, right, within))

    def binary(self, left: Value, operator: Token, right: Value) -> Value:
        span = left.span.join(right.span)
        return _nest(Binary(str(operator), left.node, right.node, span), left, right)

    def negate(self, sign: Token, operand: Value) -> Value:
        return _nest(Negate(operand.node, _span(sign).join(operand.span)), operand)

    def positive(self, sign: Token, operand: Value) -> Value:
        return Built(operand.node, _span(sign).join(operand.span), operand.depth)

    def superscript(self, base: Value, power: Token) -> Value:
        exponent = self._superscript_number(power)
        return _nest(Binary("^", base.node, exponent, base.span.join(_span(power))), base)

    def component(self, base: Value, dot: Token, name: Token) -> Value:
        return _nest(Component(base.node, _name(name), base.span.join(_span(name))), base)

    def item(self, base: Value, opening: Token, index: Value, closing: Token) -> Value:
        return _nest(Item(base.node, index.node, base.span.join(_span(closing))), base, index)

    def range(self, lower: Value, sign: Token, upper: Value) -> Value:
        return _nest(Range(lower.node, upper.node, lower.span.join(upper.span)), lower, upper)

    def number(self, token: Token) -> Value:
        return Built(Number(Fraction(str(token)), str(token), _span(token)), _span(token), 1)

    def name(self, token: Token) -> Value:
        return Built(_name(token), _span(token), 1)

    def string(self, token: Token) -> Value:
        return Built(String(str(token)[1:-1], _span(token)), _span(token), 1)

    def call(
        self, name: Token, opening: Token, arguments: tuple[Built[Argument], ...] | None, closing: Token
    ) -> Value:
        span = _span(name).join(_span(closing))
        given = arguments or ()
        if _depth(*given) > EXPRESSION_DEPTH:
            return Built(_name(name), span, _depth(*given))
        function = _name(name)
        if function.id == "where" and given:  # `where(x = 0, a, b)`: a condition and no option
            first = given[0]
            given = (Built(_unnamed(first.node), first.span, first.depth), *given[1:])
        return Built(Call(function, tuple(part.node for part in given), span), span, _depth(*given))

    def arguments(self, *arguments: Built[Argument]) -> tuple[Built[Argument], ...]:
        return arguments

    def argument(self, left: Value, operator: Token | None, right: Value | None) -> Built[Argument]:
        if operator is None or right is None:
            return Built(Argument(None, left.node, left.span), left.span, left.depth)
        span = left.span.join(right.span)
        if operator == "=" and isinstance(left.node, Name):
            return Built(Argument(left.node, right.node, span), span, _depth(left, right))
        relation = Relation(left.node, str(operator), right.node, False, None, span)
        return Built(Argument(None, relation, span), span, _depth(left, right))

    def group(self, opening: Token, inner: Value, closing: Token) -> Value:
        return Built(inner.node, _span(opening).join(_span(closing)), inner.depth)

    def vector(self, opening: Token, *rest: Value | Token) -> Value:
        items, span = _items(opening, rest)
        return _nest(Vector(tuple(item.node for item in items), span), *items)

    def list(self, opening: Token, *rest: Value | Token) -> Value:
        items, span = _items(opening, rest)
        return _nest(List(tuple(item.node for item in items), span), *items)

    def absolute(self, opening: Token, inner: Value, closing: Token) -> Value:
        return _nest(Absolute(inner.node, _span(opening).join(_span(closing))), inner)

    def partial(self, sign: Token, operand: Value) -> Value:
        written = str(sign).removeprefix("∂").removeprefix("_")
        span = _span(sign)
        letters = Name(canonical_name(written), Span(span.end - len(written), span.end))
        return _nest(Partial(letters, operand.node, span.join(operand.span)), operand)

    def prefix(self, sign: Token, operand: Value) -> Value:
        span = _span(sign)
        return _operator_call(_OPERATORS[str(sign)], span, str(sign), span.join(operand.span), operand)

    def fraclap(
        self,
        opening: Token,
        minus: Token,
        laplace: Token,
        closing: Token,
        caret: Token,
        order: Value,
        operand: Value,
    ) -> Value:
        operator = _span(opening).join(_span(closing))
        return _operator_call("fraclap", operator, "(-Δ)^", operator.join(operand.span), operand, order)

    def fraclap_superscript(
        self, opening: Token, minus: Token, laplace: Token, closing: Token, power: Token, operand: Value
    ) -> Value:
        operator = _span(opening).join(_span(closing))
        order = Built(self._superscript_number(power), _span(power), 1)
        return _operator_call("fraclap", operator, "(-Δ)^", operator.join(operand.span), operand, order)

    def advect(
        self, opening: Token, wind: Value, dot: Token, nabla: Token, closing: Token, operand: Value
    ) -> Value:
        span = _span(opening).join(operand.span)
        return _operator_call("advect", _span(dot).join(_span(nabla)), "·∇", span, wind, operand)

    def variation(self, token: Token) -> Value:
        above, below = str(token).split("/")
        span = _span(token)
        density = above.strip()[1:]
        field = below.strip()[1:]
        first = Span(span.start + 1, span.start + 1 + len(density))
        second = Span(span.end - len(field), span.end)
        call = Call(
            Name("vary", span),
            (
                Argument(None, Name(canonical_name(density), first), first),
                Argument(None, Name(canonical_name(field), second), second),
            ),
            span,
            "δ/δ",
        )
        return Built(call, span, 2)

    @staticmethod
    def _superscript_number(power: Token) -> Number | Negate:
        span, digits = _span(power), str(power).removeprefix("-")
        number = Number(Fraction(digits), digits, span)
        return number if digits == power else Negate(number, span)


def _unnamed(argument: Argument) -> Argument:
    if argument.name is None or not isinstance(argument.value, Expression):
        return argument
    relation = Relation(argument.name, "=", argument.value, False, None, argument.span)
    return Argument(None, relation, argument.span)


def _items(opening: Token, rest: tuple[Value | Token, ...]) -> tuple[tuple[Value, ...], Span]:
    items = tuple(part for part in rest if isinstance(part, Built))
    closing = rest[-1]
    assert isinstance(closing, Token)  # the grammar ends both forms with a bracket
    return items, _span(opening).join(_span(closing))
