"""The first line of a table: what may be wrong with it."""

from collections.abc import Sequence


def separators(header: Sequence[str]) -> str:
    """What to do about a table whose cells are parted by something else than commas; empty where they are."""
    wrong = next((c for c in (";", "\t", "|") if len(header) == 1 and c in header[0]), None)
    shown = {None: "", "\t": "a tab"}.get(wrong, f"`{wrong}`")
    return f"its cells are separated by {shown}: write commas between them" if shown else ""
