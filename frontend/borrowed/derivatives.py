"""Derivatives and operators in the notations of other tools."""

import re
from collections.abc import Iterable
from unicodedata import normalize

from nablax.frontend.borrowed.reading import Found, Reading
from nablax.frontend.diagnostics import Edit
from nablax.frontend.source import Span
from nablax.frontend.tokens import arguments, closing


def letters(word: str, names: Iterable[str]) -> bool:
    """Whether a word is one of names set together: `xx`, `xy`."""
    choice = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return bool(choice) and re.fullmatch(rf"(?>(?:{choice})+)", word) is not None


def _letters(word: str, names: Iterable[str]) -> list[str] | None:
    """The axes of `dx`, `dx2` and `dxdy`; None where the word is no such thing."""
    choice = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    if not choice or re.fullmatch(rf"(?>(?:d(?:{choice})[0-9]?)+)", word) is None:
        return None
    found: list[str] = []
    for name, times in re.findall(rf"d({choice})([0-9]?)", word):
        found += [name] * int(times or "1")
    return found


def _along(reading: Reading) -> tuple[str, ...]:
    """What a derivative may go along: on a wall its normal, too."""
    return (*reading.names.coordinates, *(("n",) if reading.block == "boundary" else ()))


def below(reading: Reading, at: int, order: int) -> tuple[list[str], int] | None:
    """The axes that the denominator at `at` names (`dx²`, `dx dy`, `(dx*dy)`), and where it ends."""
    bracket = reading.kind(at) == "LPAR"
    place = at + bracket
    found: list[str] = []
    while reading.kind(place) == "NAME" and (bracket or len(found) < order):
        axes = _letters(reading.text(place), _along(reading))
        if axes is None:
            break
        times, place = reading.power(place + 1)
        found += axes[:-1] + [axes[-1]] * min(times, 9)
        if bracket and reading.kind(place) in ("STAR", "DOT_SIGN"):
            place += 1
    if not found or (bracket and reading.kind(place) != "RPAR"):
        return None
    return found, place + bracket


def fraction(reading: Reading, at: int) -> Found | None:
    """`du/dt`, `d2u/dx2`, `d²u/dx²`, `d^2 u/dx^2`, `d/dx(...)`, `d(u)/dt`."""
    if reading.kind(at) != "NAME" or reading.kind(at - 1) == "DOT":
        return None
    word, operand = reading.text(at), None
    if word == "d":
        order, place = reading.power(at + 1)
        if reading.kind(place) == "NAME" or reading.kind(place) == "LPAR":
            end = reading.operand_end(place)
            if end is None:
                return None
            operand, place = reading.slice(place, end), end
    else:
        match = re.fullmatch(r"d([0-9]?)(.+)", word)
        if match is None or word in reading.names or match.group(2) not in reading.names.fields:
            return None
        order, place = int(match.group(1) or "1"), at + 1
        operand = reading.source.slice(reading.tokens[at].span)[1 + len(match.group(1)) :]
        if reading.kind(place) == "DOT" and reading.kind(place + 1) == "NAME":
            operand += "." + reading.slice(place + 1, place + 2)
            place += 2
    if reading.kind(place) != "SLASH":
        return None
    lower = below(reading, place + 1, order)
    if lower is None:
        return None
    axes, end = lower
    if operand is not None and operand.startswith("("):
        operand = operand[1:-1]
    name = "d" + "".join(axes)
    edits: tuple[Edit, ...] = ()
    written = f"{name}({operand or '...'})"
    if operand is not None:
        edits = (Edit(reading.span(at, end), written),)
    else:
        behind = reading.operand_end(end)
        if behind is not None and reading.kind(behind) not in ("STAR", "SLASH", "DOT_SIGN", "CROSS_SIGN"):
            edits = _wrapped(reading, at, end, behind, name)
    if len(axes) != order:
        message = f"a derivative of order {order} along {len(axes)} ax{'i' if len(axes) == 1 else 'e'}s"
        return Found("P009", end, message, "write the axis once for each order, as in `dxx(u)`")
    message = "a derivative is written as a fraction"
    return Found("P009", end, message, f"write `{written}`", edits, f"`{written}` in this language")


def _wrapped(reading: Reading, start: int, end: int, behind: int, name: str) -> tuple[Edit, ...]:
    """Edits that write the tokens from `start` to `end` as a call of the value from `end` to `behind`; none
    where a power follows, which the operator may be meant to take along."""
    if reading.kind(behind) in ("CARET", "SUPER", "POWER"):
        return ()
    before = reading.kind(start - 1) if start else ""
    joined = before in ("NAME", "NUMBER", "RPAR", "SUPER")
    if joined and reading.tokens[start - 1].span.end == reading.tokens[start].span.start:
        name = f"*{name}"
    head = Span(reading.tokens[start].span.start, reading.tokens[end].span.start)
    if reading.kind(end) == "LPAR":
        return (Edit(head, name),)
    stop = reading.tokens[behind - 1].span.end
    return (Edit(head, f"{name}("), Edit(Span(stop, stop), ")"))


_DERIVATIVES = ("diff", "Derivative", "D", "Dt", "pd", "pdiff", "partial", "deriv", "d")


def call(reading: Reading, at: int) -> Found | None:
    """`diff(u, x, 2)`, `Derivative(u, (x, 2))`, `D[u, {x, 2}]`, `d(u, x, x)`."""
    word, opening = reading.text(at), at + 1
    if reading.kind(at) != "NAME" or word not in _DERIVATIVES or reading.kind(at - 1) == "DOT":
        return None
    square = reading.kind(opening) == "LSQB"
    if not square and (reading.kind(opening) != "LPAR" or word in reading.names):
        return None
    end = closing(reading.tokens, opening)
    if end is None:
        return None
    given = arguments(reading.tokens, opening, end)
    if len(given) < 2:
        return None
    axes = _repeated(reading, given[1:])
    if word == "d" and not square and (axes is None or len(given) < 3 or reading.kind(given[2][0]) != "NAME"):
        return None  # `d(u, x, 2)` is of the language
    message = (
        f"`{word}` is no operator of this language" if word != "d" else "a derivative in another notation"
    )
    if axes is None:
        return Found("P009", at + 1, message, "write `dt(u)`, `dxx(u)` or `d(u, x, 2)`")
    name = "d" + "".join(axes)
    operand = reading.span(*given[0])
    edits = (
        Edit(Span(reading.tokens[at].span.start, operand.start), f"{name}("),
        Edit(Span(operand.end, reading.tokens[end].span.end), ")"),
    )
    written = f"{name}({reading.slice(*given[0])})"
    return Found("P009", opening + 1, message, f"write `{written}`", edits, f"`{written}` in this language")


def _repeated(reading: Reading, given: Iterable[tuple[int, int]]) -> list[str] | None:
    """The axes that the arguments behind the operand name: `x, 2`, `x, x`, `{x, 2}`, `(x, 2)`."""
    found: list[str] = []
    for start, end in given:
        if reading.kind(start) in ("LPAR", "LBRACE"):
            inner = _repeated(reading, arguments(reading.tokens, start, end - 1))
            if inner is None:
                return None
            found += inner
        elif end - start != 1:
            return None
        elif reading.text(start) in reading.names.coordinates:
            found.append(reading.text(start))
        elif reading.kind(start) == "NUMBER" and found and reading.text(start) in "123456789":
            found += [found[-1]] * (int(reading.text(start)) - 1)
        else:
            return None
    return found or None


def method(reading: Reading, at: int) -> Found | None:
    """`u.diff(x, 2)` of SymPy, `u.dx(0)` of FEniCS, `dde.grad.jacobian(u, x, i=0, j=1)` of DeepXDE."""
    if reading.kind(at) != "NAME" or reading.kind(at + 1) != "DOT" or reading.kind(at - 1) == "DOT":
        return None
    if reading.text(at) == "dde" and reading.text(at + 4) in ("jacobian", "hessian"):
        return _deepxde(reading, at)
    word, opening = reading.text(at + 2), at + 3
    if reading.text(at) in reading.names and word in ("diff", "dx") and reading.kind(opening) == "LPAR":
        end = closing(reading.tokens, opening)
        if end is None:
            return None
        given = arguments(reading.tokens, opening, end)
        axes = _repeated(reading, given) if word == "diff" else _numbered(reading, given)
        message = f"a derivative is no method: `.{word}(...)`"
        if axes is None:
            return Found("P009", end + 1, message, "write `dt(u)`, `dxx(u)` or `d(u, x, 2)`")
        written = f"d{''.join(axes)}({reading.slice(at, at + 1)})"
        edits = (Edit(reading.span(at, end + 1), written),)
        return Found("P009", end + 1, message, f"write `{written}`", edits, f"`{written}` in this language")
    if reading.text(at) in _MODULES and reading.text(at) not in reading.names:
        span = reading.span(at, at + 2)
        message = f"`{reading.text(at)}.` names a module of Python"
        return Found("P023", at + 2, message, "leave it out: functions stand alone", (Edit(span, ""),))
    return None


_MODULES = ("np", "numpy", "jnp", "math", "torch", "tf", "sp", "sympy", "scipy", "dde", "ufl", "fe", "Math")


def _numbered(reading: Reading, given: Iterable[tuple[int, int]]) -> list[str] | None:
    """Axes by number, time behind those of space."""
    found: list[str] = []
    for start, end in given:
        number = reading.text(start)
        if end - start != 1 or not number.isdigit() or int(number[:3]) >= len(reading.names.coordinates):
            return None
        found.append(reading.names.coordinates[int(number)])
    return found or None


def _deepxde(reading: Reading, at: int) -> Found | None:
    end = closing(reading.tokens, at + 5) if reading.kind(at + 5) == "LPAR" else None
    if end is None:
        return None
    given = arguments(reading.tokens, at + 5, end)
    options = {reading.text(a): (b - 1, b) for a, b in given if reading.kind(a + 1) == "RELATION"}
    wanted = ("j",) if reading.text(at + 4) == "jacobian" else ("i", "j")
    axes = _numbered(reading, [options[name] for name in wanted if name in options])
    message = f"`dde.grad.{reading.text(at + 4)}` is no operator of this language"
    if axes is None or len(axes) != len(wanted) or not given:
        return Found("P009", end + 1, message, "write `dt(u)`, `dxx(u)` or `d(u, x, 2)`")
    written = f"d{''.join(axes)}({reading.slice(*given[0])})"
    edits = (Edit(reading.span(at, end + 1), written),)
    return Found("P009", end + 1, message, f"write `{written}`", edits, f"`{written}` in this language")


_WORDS = {
    "lap": "laplacian", "laplacian": "laplacian", "Laplacian": "laplacian", "laplace": "laplacian",
    "grad": "grad", "gradient": "grad", "nabla": "grad", "div": "div", "divergence": "div", "curl": "curl",
    "rot": "curl", "biharmonic": "biharmonic",
}  # fmt: skip


def _operator_word(reading: Reading, at: int) -> tuple[str, int] | None:
    """The operator that begins at `at` (`lap`, `dt`, `nabla^2`, `∇^2`), and where it ends."""
    word = reading.text(at)
    if reading.kind(at) == "NABLA":
        times, end = reading.power(at + 1)
        name = {2: "laplacian", 4: "biharmonic"}.get(times)
        return (name, end) if name is not None and end > at + 1 else None
    if reading.kind(at) != "NAME" or word in reading.names or reading.kind(at - 1) == "DOT":
        return None
    if word in ("nabla", "del"):
        times, end = reading.power(at + 1)
        if end > at + 1:
            name = {2: "laplacian", 4: "biharmonic"}.get(times)
            return (name, end) if name is not None else None
    if word in _WORDS:
        return _WORDS[word], at + 1
    axes = re.fullmatch(r"d(.+)", word)
    if axes is None or not axes.group(1):
        return None
    if letters(axes.group(1), reading.names.coordinates):
        return word, at + 1
    return None


def prefix(reading: Reading, at: int) -> Found | None:
    """`lap u`, `dt u`, `div grad u`, `nabla^2 u`, `∇^2(u)`."""
    operator = _operator_word(reading, at)
    if operator is None:
        return None
    name, end = operator
    behind = reading.operand_end(end)
    alone = end == at + 1
    if behind is None or (alone and reading.kind(end) != "NAME"):
        return None
    further = _operator_word(reading, end)
    if further is not None and reading.kind(further[1]) != "LPAR":
        return None  # the inner one first
    edits = _wrapped(reading, at, end, behind, name)
    inner = reading.slice(end, behind)
    written = f"{name}{inner}" if inner.startswith("(") else f"{name}({inner})"
    message = f"`{reading.slice(at, end)}` stands before its operand without brackets"
    if not alone:
        message = f"`{reading.slice(at, end)}` is no operator of this language"
    return Found("P009", behind, message, f"write `{written}`", edits, f"`{written}` in this language")


def prime(reading: Reading, at: int) -> Found | None:
    """`u'`, `u''`, `u'(0) = 0`."""
    if reading.kind(at) != "NAME" or reading.kind(at + 1) != "PRIME":
        return None
    order = sum(2 if sign == "″" else 1 for sign in reading.text(at + 1))
    axes, end = reading.names.axes, at + 2
    message = "a prime is no derivative of this language"
    certain = len(axes) == 1 and (reading.names.time is None or reading.block == "boundary")
    if not certain or reading.text(at) not in reading.names.fields:
        return Found("P009", end, message, "name the axis: `dx(u)`, `dt(u)`, `dxx(u)`, on a wall `dn(u)`")
    written = f"d{axes[0] * order}({reading.slice(at, at + 1)})"
    edits = [Edit(reading.span(at, end), written)]
    if reading.block == "boundary" and reading.kind(end) == "LPAR":
        close = closing(reading.tokens, end)
        if close is None:
            return None
        if all(token.kind != "COLON" for token in reading.tokens):
            place = f"{axes[0]} = {reading.slice(end + 1, close)}: "
            start = reading.tokens[0].span.start
            edits = [Edit(Span(start, start), place), Edit(reading.span(at, close + 1), written)]
        else:
            edits = [Edit(reading.span(at, close + 1), written)]
        if any(token.kind == "PRIME" for token in reading.tokens[end:]):
            edits = edits if len(edits) == 1 else []
        end = close + 1
    return Found("P009", end, message, f"write `{written}`", tuple(edits), f"`{written}` in this language")


def lowered(reading: Reading, at: int) -> Found | None:
    """`∂ₜu`, `uₓₓ`: letters below the line."""
    kind, text = reading.kind(at), reading.text(at)
    plain = normalize("NFKC", text)
    if kind not in ("NAME", "PARTIAL") or plain == text:
        return None
    below = [c for c in text if normalize("NFKC", c) != c and c.isalpha()]
    letters = normalize("NFKC", "".join(below))
    rest = "".join(c for c in text if c not in below).removeprefix("∂")
    if not letters or rest not in ("", *reading.names.fields):
        return None
    written = f"∂{letters} {rest}".rstrip() if kind == "PARTIAL" else f"{rest}_{letters}"
    edits = (Edit(reading.tokens[at].span, written + (" " if kind == "PARTIAL" and not rest else "")),)
    message = "a derivative in another notation"
    return Found("P009", at + 1, message, f"write `{written}`", edits, f"`{written}` in this language")
