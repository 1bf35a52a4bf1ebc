"""Who gets what: a largest assignment (H. W. Kuhn, Naval Res. Logist. Q. 2 (1955) 83)."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

Choice = TypeVar("Choice", bound=Hashable)


def matched(wishes: Sequence[Sequence[Choice]]) -> dict[int, Choice]:
    """The choice of every item that can have one, no choice twice; the pickiest items choose first."""
    owner: dict[Choice, int] = {}

    def assign(i: int, seen: set[Choice]) -> bool:
        for choice in wishes[i]:
            if choice not in seen:
                seen.add(choice)
                if choice not in owner or assign(owner[choice], seen):
                    owner[choice] = i
                    return True
        return False

    for i in sorted(range(len(wishes)), key=lambda i: len(wishes[i])):
        assign(i, set())
    return {i: choice for choice, i in owner.items()}
