"""The tables of operators and functions for docs/language.md, from the entries themselves."""

from nablax.functions import CONSTANTS, FUNCTIONS, Function
from nablax.operator_use import Operator
from nablax.operators import OPERATORS

_MEANINGS = {"pi": "3.14159...", "e": "2.71828...", "i": "imaginary unit", "inf": "infinity"}


def operator_table() -> str:
    """A Markdown table of the operators."""
    rows: list[tuple[str, ...]] = [("operator", "sugar", "takes → makes", "meaning"), ("---",) * 4]
    rows += [_operator_row(entry) for entry in OPERATORS.values()]
    return _table(rows)


def function_table() -> str:
    """A Markdown table of the functions and constants."""
    rows: list[tuple[str, ...]] = [("function", "arguments", "meaning"), ("---",) * 3]
    rows += [(f"`{f.name}`", _count(f), f.summary) for f in FUNCTIONS.values()]
    rows += [(f"`{name}`", "none", _MEANINGS[name]) for name in CONSTANTS]
    return _table(rows)


def _operator_row(entry: Operator) -> tuple[str, ...]:
    sugar = ", ".join(f"`{form}`" for form in entry.sugar.split(", ") if form)
    options = f", {', '.join(f'`{name}=`' for name in entry.options)}" if entry.options else ""
    return f"`{entry.name}`{options}", sugar, entry.signature, entry.summary


def _count(entry: Function) -> str:
    if entry.most == entry.least:
        return str(entry.least)
    return f"{entry.least} or more" if entry.most is None else f"{entry.least} to {entry.most}"


def _table(rows: list[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
