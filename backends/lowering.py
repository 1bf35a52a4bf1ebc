"""Pointwise SymPy expressions to JAX operations.

The only way from an expression to numbers: a memoised walk over a finite table of functions. A shared
subexpression is computed once (SymPy interns structurally, so equality is identity of value).
Exact rationals become Python floats, which leave the dtype of the arrays alone.
"""

import operator
from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp
import jax.scipy.special as jsp
import numpy as np
import sympy as sp
from jax import Array, lax

from nablax.backends.grid_functions import looked_up
from nablax.backends.special import besselj, mittag_leffler, polygamma
from nablax.backends.surrogates import surrogate
from nablax.fractional_calculus.special import MittagLeffler
from nablax.grid_functions import GridData, GridFunction
from nablax.surrogates import Surrogate
from nablax.tables import Tabulated, interpolate

Operand = Array | float | complex
Environment = Mapping[sp.Basic, Operand]

FUNCTIONS: Mapping[type[sp.Basic], Callable[..., Operand]] = {
    sp.sin: jnp.sin,
    sp.cos: jnp.cos,
    sp.tan: jnp.tan,
    sp.cot: lambda z: 1 / jnp.tan(z),
    sp.sec: lambda z: 1 / jnp.cos(z),
    sp.csc: lambda z: 1 / jnp.sin(z),
    sp.asin: jnp.arcsin,
    sp.acos: jnp.arccos,
    sp.atan: jnp.arctan,
    sp.atan2: jnp.arctan2,
    sp.sinh: jnp.sinh,
    sp.cosh: jnp.cosh,
    sp.tanh: jnp.tanh,
    sp.sech: lambda z: 1 / jnp.cosh(z),
    sp.coth: lambda z: 1 / jnp.tanh(z),
    sp.csch: lambda z: 1 / jnp.sinh(z),
    sp.asinh: jnp.arcsinh,
    sp.acosh: jnp.arccosh,
    sp.atanh: jnp.arctanh,
    sp.exp: jnp.exp,
    sp.log: jnp.log,
    sp.Abs: jnp.abs,
    sp.sign: jnp.sign,
    sp.conjugate: jnp.conj,
    sp.re: jnp.real,
    sp.im: jnp.imag,
    sp.arg: jnp.angle,
    sp.erf: jsp.erf,
    sp.erfc: jsp.erfc,
    sp.loggamma: jsp.gammaln,
    sp.gamma: jsp.gamma,
    sp.polygamma: polygamma,
    sp.besselj: besselj,
    MittagLeffler: mittag_leffler,
    Surrogate: lambda value, slope: surrogate(*alike(value, slope)),
    sp.floor: jnp.floor,
    sp.ceiling: jnp.ceil,
    sp.Heaviside: lambda z, at_zero=0.5: jnp.heaviside(z, at_zero),
    sp.StrictLessThan: lambda a, b: jnp.asarray(a) < b,
    sp.LessThan: lambda a, b: jnp.asarray(a) <= b,
    sp.StrictGreaterThan: lambda a, b: jnp.asarray(a) > b,
    sp.GreaterThan: lambda a, b: jnp.asarray(a) >= b,
    sp.Equality: lambda a, b: jnp.asarray(a) == b,
    sp.Unequality: lambda a, b: jnp.asarray(a) != b,
    sp.And: lambda *a: _fold(jnp.logical_and, a),
    sp.Or: lambda *a: _fold(jnp.logical_or, a),
    sp.Not: jnp.logical_not,
    sp.Max: lambda *a: _fold(jnp.maximum, a),
    sp.Min: lambda *a: _fold(jnp.minimum, a),
}


def _fold(operation: Callable[..., Operand], items: Sequence[Operand]) -> Operand:
    result = items[0]
    for item in items[1:]:
        result = operation(result, item)
    return result


def atoms(expressions: Sequence[sp.Expr]) -> frozenset[sp.Basic]:
    """What an environment must hold: symbols, unknowns and derivatives of unknowns, outermost first.

    A derivative counts as one atom; the unknown inside it is needed only where it stands bare.
    """
    found: set[sp.Basic] = set()
    pending: list[sp.Basic] = list(expressions)
    while pending:
        node = pending.pop()
        if isinstance(node, sp.Symbol | sp.Derivative | sp.core.function.AppliedUndef):
            found.add(node)
        else:
            pending.extend(node.args)
    return frozenset(found)


def evaluate(expressions: Sequence[sp.Expr], environment: Environment) -> tuple[Operand, ...]:
    """Values of the expressions, elementwise with broadcasting. `environment` maps every atom to its value.

    Constant expressions come out as Python numbers.
    """
    memo: dict[sp.Basic, Operand] = dict(environment)
    return tuple(_value(e, memo) for e in expressions)


def _value(root: sp.Basic, memo: dict[sp.Basic, Operand]) -> Operand:
    # An explicit stack: expressions may nest deeper than Python's recursion limit.
    stack = [root]
    while stack:
        node = stack[-1]
        if node in memo:
            stack.pop()
            continue
        if node.is_number and not node.has(sp.Piecewise):
            memo[node] = _constant(node)
            continue
        parts = _parts(node)
        missing = [p for p in parts if p not in memo]
        if missing:
            stack.extend(missing)
            continue
        memo[node] = _apply(node, memo)
    return memo[root]


def _constant(node: sp.Basic) -> Operand:
    if node is sp.true or node is sp.false:
        return bool(node)
    value = complex(node.evalf(20))
    return value.real if value.imag == 0.0 else value


def _parts(node: sp.Basic) -> tuple[sp.Basic, ...]:
    if isinstance(node, sp.Piecewise):
        return tuple(part for pair in node.args for part in pair.args)
    if isinstance(node, sp.Pow):
        base, exponent = node.args
        if isinstance(exponent, sp.Rational) and (exponent.q <= 2):
            return (base,)
    if isinstance(node, sp.Symbol | sp.Derivative | sp.core.function.AppliedUndef):
        raise KeyError(f"no value for {node}")
    if isinstance(node, GridFunction):
        return (node.data.values, *node.args[1:])
    if isinstance(node, GridData):
        raise KeyError(f"no values for {node}")
    return tuple(node.args[1:]) if isinstance(node, Tabulated) else tuple(node.args)


def _apply(node: sp.Basic, memo: dict[sp.Basic, Operand]) -> Operand:
    if node is sp.true or node is sp.false:
        return bool(node)
    if isinstance(node, sp.Add):
        return _sum(node, memo)
    if isinstance(node, sp.Mul):
        return _product([memo[a] for a in node.args])
    if isinstance(node, sp.Pow):
        return _power(node, memo)
    if isinstance(node, sp.Piecewise):
        return _piecewise(node, memo)
    if isinstance(node, GridFunction):
        return looked_up(node.data, jnp.asarray(memo[node.data.values]), [memo[a] for a in node.args[1:]])
    if isinstance(node, Tabulated):
        return _looked_up(node, [memo[a] for a in node.args[1:]])
    return FUNCTIONS[node.func](*(memo[a] for a in node.args))


def _looked_up(node: Tabulated, places: Sequence[Operand]) -> Operand:
    """Values of a table at places: numbers of the spec beside arrays take the precision of the arrays."""
    dtypes = [p.dtype for p in places if isinstance(p, Array)]
    dtype = dtypes[0] if dtypes else jnp.result_type(float)
    if not any(isinstance(p, jax.core.Tracer) for p in places):
        return jnp.asarray(interpolate(node.table, [np.asarray(p, np.float64) for p in places], np), dtype)
    value: Array = interpolate(node.table, [jnp.asarray(p, dtype) for p in places], jnp)
    return value


def _sum(node: sp.Add, memo: dict[sp.Basic, Operand]) -> Operand:
    # Negative terms are subtracted: one operation less than adding a product with -1.
    positive = [memo[a] for a in node.args if not a.could_extract_minus_sign()]
    negative = [a for a in node.args if a.could_extract_minus_sign()]
    total = _fold(lambda a, b: operator.add(*alike(a, b)), positive) if positive else None
    for a in negative:
        if isinstance(a, sp.Mul) and a.args[0] == -1:
            value = _product([memo[f] if f in memo else _value(f, memo) for f in a.args[1:]])
            total = -value if total is None else operator.sub(*alike(total, value))
        else:
            total = memo[a] if total is None else operator.add(*alike(total, memo[a]))
    assert total is not None
    return total


def _product(factors: Sequence[Operand]) -> Operand:
    # Numbers and scalars first, so that arrays are touched as few times as possible; real before complex.
    ordered = sorted(factors, key=lambda f: (jnp.ndim(f), _is_complex(f)))
    return _fold(lambda a, b: operator.mul(*alike(a, b)), ordered)


def _is_complex(value: Operand) -> bool:
    return jnp.iscomplexobj(value)


def alike(a: Operand, b: Operand) -> tuple[Operand, Operand]:
    """A real array beside something complex is made complex: the host may promote strictly."""
    if _is_complex(a) != _is_complex(b):
        if isinstance(a, Array) and not _is_complex(a):
            a = lax.complex(a, jnp.zeros_like(a))
        elif isinstance(b, Array) and not _is_complex(b):
            b = lax.complex(b, jnp.zeros_like(b))
    return a, b


def _power(node: sp.Pow, memo: dict[sp.Basic, Operand]) -> Operand:
    base, exponent = node.args
    value = memo[base]
    if isinstance(exponent, sp.Integer):
        n = int(exponent)
        if not isinstance(value, Array):
            return value**n
        return lax.integer_pow(value, n)
    if isinstance(exponent, sp.Rational) and exponent.q == 2:
        root = jnp.sqrt(value)
        n = int(exponent.p)
        return root if n == 1 else lax.integer_pow(root, n)
    return jnp.power(value, memo[exponent])


def _piecewise(node: sp.Piecewise, memo: dict[sp.Basic, Operand]) -> Operand:
    # SymPy closes an open piecewise with nan outside; the last branch decides where none holds.
    branches = [(memo[value], memo[condition]) for value, condition in node.args]
    result: Operand = branches[-1][0] if branches[-1][1] is True else jnp.nan
    for value, condition in reversed(branches if branches[-1][1] is not True else branches[:-1]):
        result = jnp.where(condition, *alike(value, result))
    return result
