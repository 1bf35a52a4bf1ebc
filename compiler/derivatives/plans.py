"""How a set of derivatives is had in one trip through a network: the candidates, their cost, the choice."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import factorial

import sympy as sp

from nablax.derivatives.algebra import Algebra, Operator, downset, from_operators
from nablax.derivatives.algebra import directions as series
from nablax.derivatives.inverse_system import SIZE, extraction, minimal
from nablax.derivatives.needs import Form, homogeneous
from nablax.derivatives.waring import Direction, PowerSum, fit, is_rotation_invariant, power_sum

PRODUCT = 0.12  # an elementwise product of two coefficients, in units of a coefficient's matrix product
LARGEST = 200  # coefficients of a candidate; more of them make the program, not the derivatives, the work


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to evaluate forms: form i is Σ weight · coefficient k over `extractions[i]`, proven exactly.

    `directions` has a direction over the arguments for every generator of the algebra. Without an algebra
    the forms are had by nested forward mode. With `times`, coefficient k is the last one of the algebra's
    pass (the Laplacian) composed k times with itself, k = 0 .. times.
    """

    name: str
    algebra: Algebra | None
    directions: tuple[Direction, ...]
    extractions: tuple[tuple[tuple[int, Fraction], ...], ...]
    vectors: int
    products: int
    times: int = 0

    @property
    def cost(self) -> float:
        return self.vectors + PRODUCT * self.products


@dataclass(frozen=True, slots=True)
class DerivativePlan:
    """The chosen candidate for these forms, and the others with it, cheapest first."""

    forms: tuple[Form, ...]
    candidates: tuple[Candidate, ...]

    @property
    def chosen(self) -> Candidate:
        return self.candidates[0]

    def by(self, wanted: Callable[[Candidate], bool]) -> "DerivativePlan":
        """The same plan with the first such candidate in front."""
        return DerivativePlan(self.forms, tuple(sorted(self.candidates, key=lambda c: not wanted(c))))


def plan_derivatives(forms: Sequence[Form]) -> DerivativePlan:
    """The cheapest way to the forms, which share one number of arguments."""
    forms = tuple(forms)
    found = sorted(candidates(forms), key=lambda c: c.cost)
    return DerivativePlan(forms, tuple(found))


def candidates(forms: tuple[Form, ...]) -> Iterator[Candidate]:
    """Every way that applies. Nested forward mode always does."""
    yield _nested(forms)
    if max(sum(orders) for form in forms for orders, _ in form) == 0:
        return
    parts = tuple(dict.fromkeys(part for form in forms for part in homogeneous(form)))
    if (composed := _composed(parts)) is not None:
        yield _assembled(composed, forms, parts)
    symbols = [{orders: Fraction(int(q.p), int(q.q)) for orders, q in form} for form in forms]
    axes = _axes(len(forms[0][0][0]))
    try:
        smallest = minimal(symbols)
    except ValueError:
        return  # beyond any size that pays
    if smallest.size <= LARGEST:
        yield _of_algebra("smallest algebra", smallest, axes, symbols)
    tops = sorted({orders for form in forms for orders, _ in form})
    whole = downset(tops)
    if whole.size <= min(LARGEST, SIZE) and whole.size != smallest.size:
        yield _of_algebra("all lower derivatives", whole, axes, symbols)
    along = _by_directions(parts)
    if along is not None and along.vectors <= LARGEST:
        yield _assembled(along, forms, parts)


def _assembled(candidate: Candidate, forms: tuple[Form, ...], parts: tuple[Form, ...]) -> Candidate:
    """The candidate for homogeneous parts as one for the forms that are sums of them."""
    of_part = dict(zip(parts, candidate.extractions, strict=True))
    found = []
    for form in forms:
        weights: dict[int, Fraction] = {}
        for part in homogeneous(form):
            for k, weight in of_part[part]:
                weights[k] = weights.get(k, Fraction(0)) + weight
        found.append(tuple(sorted(weights.items())))
    return replace(candidate, extractions=tuple(found))


def _axes(count: int) -> tuple[Direction, ...]:
    return tuple(tuple(sp.Integer(i == j) for j in range(count)) for i in range(count))


def _nested(forms: tuple[Form, ...]) -> Candidate:
    """Every order along every monomial: what remains when common subexpressions are merged."""
    needed = {()} | {
        tuple(word[:k])
        for form in forms
        for orders, _ in form
        for word in ([i for i, n in enumerate(orders) for _ in range(n)],)
        for k in range(1, len(word) + 1)
    }
    vectors = sum(max(1, 2 ** (len(word) - 1)) for word in needed)
    products = sum(2 ** len(word) for word in needed if len(word) > 1)
    return Candidate("nested forward mode", None, (), (), vectors, products)


def _of_algebra(
    name: str,
    algebra: Algebra,
    directions: tuple[Direction, ...],
    symbols: Sequence[dict[tuple[int, ...], Fraction]],
) -> Candidate:
    extractions = []
    for symbol in symbols:
        found = extraction(algebra, symbol)
        assert found is not None, "a symbol outside the span of its own algebra"
        extractions.append(tuple(sorted(found.items())))
    return Candidate(name, algebra, directions, tuple(extractions), algebra.vectors, algebra.multiplications)


def _by_directions(forms: tuple[Form, ...]) -> Candidate | None:
    """One Taylor series along each of a few directions, the last coefficients of a form collapsed into a sum.

    The directions are those of the forms of highest degree; lower forms use them too where they can.
    """
    sums: dict[Form, PowerSum] = {}
    directions: list[Direction] = []
    for form in sorted(forms, key=lambda f: -sum(f[0][0])):
        if not sum(form[0][0]):
            continue
        found = fit(form, directions) if directions else None
        if found is None:
            found = power_sum(form)
        if found is None:
            return None
        sums[form] = found
        directions += [v for v in found.directions if v not in directions]
    weights_rational = all(w.is_Rational for s in sums.values() for w in s.weights)
    if len(directions) > LARGEST or not weights_rational:
        return None
    return _series(forms, sums, tuple(directions))


def _composed(forms: tuple[Form, ...]) -> Candidate | None:
    """The Laplacian of the Laplacian, for powers of one Laplacian in many dimensions.

    A pass of d + 2 vectors goes through the program of another one: (d + 2)^times vectors, more than the
    smallest algebra has, but a program that does not grow with the dimension.
    """
    moving = [form for form in forms if sum(form[0][0])]
    used = {tuple(i for i in range(len(f[0][0])) if any(orders[i] for orders, _ in f)) for f in moving}
    highest = max(sum(form[0][0]) for form in moving)
    if len(used) != 1 or highest < 4 or any(sum(form[0][0]) % 2 for form in moving):
        return None
    (axes,) = used
    if not all(is_rotation_invariant(form, axes, sum(form[0][0])) for form in moving):
        return None
    times, count = highest // 2, len(axes)
    extractions = []
    for form in forms:
        half = sum(form[0][0]) // 2
        pure = tuple(2 * half if i == axes[0] else 0 for i in range(len(form[0][0])))
        weight = dict(form)[pure]
        extractions.append(((half, Fraction(int(weight.p), int(weight.q))),))
    every = _axes(len(forms[0][0][0]))
    return Candidate(
        f"{times} composed Laplacians",
        series(count, 2, [2] * count, stacked=True),
        tuple(every[i] for i in axes),
        tuple(extractions),
        (count + 2) ** times,
        times * count * (count + 2) ** (times - 1),
        times,
    )


def _series(
    forms: tuple[Form, ...], sums: dict[Form, PowerSum], directions: tuple[Direction, ...]
) -> Candidate:
    height = {v: max(s.degree for s in sums.values() if v in s.directions) for v in directions}
    # A form may be collapsed where nobody else reads the coefficients it sums.
    readers: dict[tuple[Direction, int], list[Form]] = {}
    for form, power in sums.items():
        for v in power.directions:
            readers.setdefault((v, power.degree), []).append(form)
    collapsed = [
        form
        for form, power in sums.items()
        if len(power.directions) > 1
        and all(height[v] == power.degree and readers[v, power.degree] == [form] for v in power.directions)
    ]
    inside = {(v, sums[form].degree) for form in collapsed for v in sums[form].directions}
    entries: list[tuple[int, Operator, object]] = [(0, {(): Fraction(1)}, ())]
    for r, v in enumerate(directions):
        for j in range(1, height[v] + 1):
            if (v, j) not in inside:
                entries.append((j, {(r,) * j: Fraction(1, factorial(j))}, (v, j)))
    for form in collapsed:
        power = sums[form]
        operator = {
            (directions.index(v),) * power.degree: Fraction(int(w.p), int(w.q))
            for v, w in zip(power.directions, power.weights, strict=True)
        }
        entries.append((power.degree, operator, form))
    entries.sort(key=lambda entry: entry[0])
    algebra = from_operators([operator for _, operator, _ in entries], [1] * len(directions))
    place = {key: k for k, (_, _, key) in enumerate(entries)}
    extractions: list[tuple[tuple[int, Fraction], ...]] = []
    for form in forms:
        if form not in sums:
            extractions.append(((0, Fraction(1)),))
        elif form in collapsed:
            extractions.append(((place[form], Fraction(1)),))
        else:
            power = sums[form]
            scale = factorial(power.degree)
            extractions.append(
                tuple(
                    (place[v, power.degree], scale * Fraction(int(w.p), int(w.q)))
                    for v, w in zip(power.directions, power.weights, strict=True)
                )
            )
    name = f"{len(directions)} direction{'s' if len(directions) > 1 else ''}"
    return Candidate(name, algebra, directions, tuple(extractions), algebra.vectors, algebra.multiplications)
