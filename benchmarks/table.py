"""Tables that read well on a terminal and in Markdown alike."""

from collections.abc import Sequence

from benchmarks.timing import Spread


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[j]) for row in (head, *rows)) for j in range(len(head))]
    rule = [("-" * widths[0]), *("-" * (w - 1) + ":" for w in widths[1:])]
    lines = [head, rule, *rows]
    return "\n".join(
        f"| {line[0]:<{widths[0]}} | "
        + " | ".join(f"{cell:>{w}}" for cell, w in zip(line[1:], widths[1:], strict=True))
        + " |"
        for line in lines
    )


def number(value: float) -> str:
    """Three significant figures, without an exponent."""
    if value == 0 or not 1e-4 < abs(value) < 1e6:
        return f"{value:.2g}"
    digits = 3
    while digits > 0 and abs(value) >= 10 ** (3 - digits):
        digits -= 1
    return f"{value:.{digits}f}"


def ranged(value: Spread) -> str:
    return f"{number(value.middle)} ({number(value.low)}–{number(value.high)})"


def verdict(value: float, goal: float) -> str:
    return f"≤ {goal:g}: {'met' if value <= goal else 'MISSED'}"
