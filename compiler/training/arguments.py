"""The arguments of a call in the `train` block, each asked for once by name, kind and range."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TypeVar

import sympy as sp

from nablax.meaning.values import Fault, fault, shown
from nablax.problem import Option, OptionCall, OptionValue

Word = TypeVar("Word", bound=str)


class Arguments:
    """Reads a call such as `adam(20000, lr=1e-3)`: positional arguments go to the first names asked for.

    Every reader raises a located fault (P511) for a value of the wrong kind or range; `finish` raises one
    for arguments that nothing asked for.
    """

    def __init__(self, option: Option, call: OptionCall) -> None:
        self._option = option
        self._call = call
        self._positional = list(call.arguments)
        self._named = dict(call.options)
        self._asked: list[str] = []

    def _take(self, name: str) -> OptionValue | None:
        self._asked.append(name)
        if name in self._named:
            return self._named.pop(name)
        return self._positional.pop(0) if self._positional else None

    def count(self, name: str, default: int | None = None, least: int = 1) -> int:
        value = self._take(name)
        if value is None:
            if default is None:
                raise self._wrong(f"`{self._call.name}` wants `{name}`", f"{self._call.name}({name}=100)")
            return default
        return whole(self._option, value, f"`{name}` of `{self._call.name}`", least)

    def positive(self, name: str, default: float) -> float:
        value = self._take(name)
        if value is None:
            return default
        found = real(self._option, value, f"`{name}` of `{self._call.name}`")
        if found <= 0:
            raise self._wrong(
                f"`{name}` of `{self._call.name}` must be positive", f"{name}={default or 0.1:g}"
            )
        return found

    def share(self, name: str, default: float) -> float:
        """A number between 0 and 1."""
        found = self.positive(name, default)
        if found > 1:
            raise self._wrong(f"`{name}` of `{self._call.name}` is at most 1", f"{name}={default:g}")
        return found

    def number(self, name: str, default: float) -> float:
        value = self._take(name)
        return default if value is None else real(self._option, value, f"`{name}` of `{self._call.name}`")

    def word(self, name: str, known: Sequence[Word], default: Word) -> Word:
        value = self._take(name)
        if value is None:
            return default
        return word(self._option, value, known, f"`{name}` of `{self._call.name}`")

    def finish(self) -> None:
        for name in self._named:
            similar = get_close_matches(name, self._asked, n=1)
            raise self._wrong(
                f"`{self._call.name}` has no argument `{name}`",
                f"{similar[0]}=.." if similar else f"its arguments are {', '.join(self._asked)}",
            )
        if self._positional:
            raise self._wrong(
                f"`{self._call.name}` has too many arguments", f"its arguments are {', '.join(self._asked)}"
            )

    def _wrong(self, message: str, remedy: str) -> Fault:
        help = remedy if remedy.startswith("its ") else f"write `{remedy}`"
        return fault("P511", self._option.span, message, help)


def whole(option: Option, value: OptionValue, what: str, least: int = 1) -> int:
    """A whole number of at least `least`."""
    if isinstance(value, sp.Integer) and least <= value < 2**31:
        return int(value)
    kind = "a positive whole number" if least == 1 else f"a whole number of at least {least}"
    if isinstance(value, sp.Integer) and value >= least:
        kind = "a whole number below 2^31"
    raise fault("P511", option.span, f"{what} is {kind}, and this is `{text(value)}`", f"give {kind}")


def real(option: Option, value: OptionValue, what: str) -> float:
    """A finite real number."""
    if isinstance(value, sp.Expr) and value.is_number and value.is_real and value.is_finite:
        return float(value)
    raise fault("P511", option.span, f"{what} is a number, and this is `{text(value)}`", "give a number")


def word(option: Option, value: OptionValue, known: Sequence[Word], what: str) -> Word:
    """One of the known words, else P510."""
    for candidate in known:
        if value == candidate:
            return candidate
    raise unknown(option, text(value), known, what)


def unknown(option: Option, given: str, known: Sequence[str], what: str) -> Fault:
    """P510, with the similar word."""
    similar = get_close_matches(given, known, n=1)
    return fault(
        "P510",
        option.span,
        f"{what} cannot be `{given}`",
        f"did you mean `{similar[0]}`?" if similar else f"use one of {', '.join(known)}",
    )


def as_call(value: OptionValue) -> OptionCall | None:
    """A call, or a bare word as a call without arguments."""
    if isinstance(value, OptionCall):
        return value
    return OptionCall(value, ()) if isinstance(value, str) else None


def items(value: OptionValue) -> tuple[OptionValue, ...]:
    """The entries of a list, or the one value."""
    return value if isinstance(value, tuple) else (value,)


def text(value: OptionValue) -> str:
    """A value as a message names it."""
    if isinstance(value, OptionCall):
        return value.name
    if isinstance(value, tuple):
        return "a list"
    return value if isinstance(value, str) else shown(value)
