"""What a caller changes about a spec without touching its text."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Overrides:
    """Values as text, in the language's own syntax: `--set nu=0.02`, `--solve n=512`, `--train seed=1`.

    `swept` are the parameters that `--sweep` gives, for messages.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    solve: Mapping[str, str] = field(default_factory=dict)
    train: Mapping[str, str] = field(default_factory=dict)
    swept: frozenset[str] = frozenset()
