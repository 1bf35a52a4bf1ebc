"""The outcome of a run as lines of text."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nablax.backends.expectations import Verdict
    from nablax.backends.run import Outcome
    from nablax.outline import Outline


def describe(outline: "Outline", outcome: "Outcome") -> str:
    """Where the files are, what became of the expectations, and what it took."""
    lines = []
    if outcome.data is not None:
        lines.append(f"{outcome.data}  {_contents(outline, outcome)}")
    lines += [str(p) for p in outcome.pictures]
    lines += verdict_lines(outcome.verdicts, outline.time is not None)
    rejected = f" ({outcome.rejected} rejected)" if outcome.rejected else ""
    if outline.time is None:
        lines += _convergence(outcome)
    else:
        lines.append(f"{outcome.steps} steps{rejected} in {duration(outcome.seconds)}")
    if outcome.status == "interrupted":
        lines.append("interrupted: the dataset holds the frames up to here")
    return "\n".join(lines)


def _convergence(outcome: "Outcome") -> list[str]:
    """The residual by iteration."""
    residuals = outcome.residuals
    if not residuals:
        return []
    if len(residuals) == 2:
        lines = [f"one linear solve: residual {residuals[0]:.3g}, then {residuals[1]:.3g}"]
    else:
        lines = [f"residual after {i} iterations: {r:.3g}" for i, r in enumerate(residuals)]
    return [*lines, f"solved in {duration(outcome.seconds)}"]


def _contents(outline: "Outline", outcome: "Outcome") -> str:
    names = ", ".join(f.name for f in outline.fields)
    if outline.time is None:
        return names
    frames = f"{outcome.frames} frame{'s' if outcome.frames != 1 else ''}"
    if outcome.frames < len(outline.frames):
        frames = f"{outcome.frames} of {len(outline.frames)} frames"
    reached = "" if outcome.t is None else f", {outline.time} = {outline.frames[0]:g} to {outcome.t:g}"
    return f"{frames} of {names}{reached}"


def verdict_lines(verdicts: "tuple[Verdict, ...]", moving: bool) -> list[str]:
    width = min(60, max((len(v.text) for v in verdicts), default=0))
    return [f"{'✓' if v.passed else '✗'} {v.text:<{width}}  {measured(v, moving)}" for v in verdicts]


def measured(v: "Verdict", moving: bool) -> str:
    """What a statement of `expect` was judged by."""
    if v.measured is None:
        return v.reason
    when = "" if v.t is None or not moving else f" at t = {v.t:g}"
    value = f"{v.measured:.3g}" if v.measure != "value" else f"{v.measured:.10g}"
    return f"{v.measure} {value}{when}"


def duration(seconds: float) -> str:
    """`12.3 s`, `4 min 05 s`."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"
