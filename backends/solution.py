"""A run in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import jax
from jax import Array

from nablax.plan import Plan


@partial(jax.tree_util.register_dataclass, data_fields=["t", "fields"], meta_fields=["plan"])
@dataclass(frozen=True)
class Solution:
    """Fields at output times, a pytree: `t` is [frames], each field [frames, *plan.shape]."""

    t: Array
    fields: Mapping[str, Array]
    plan: Plan
