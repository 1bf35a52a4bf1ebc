"""The edits that diagnostics bring along, applied to the text."""

from collections.abc import Iterable

from nablax.frontend.diagnostics import Diagnostic, Edit
from nablax.frontend.render import in_order
from nablax.frontend.source import Source


def apply_edits(source: Source, diagnostics: Iterable[Diagnostic]) -> str:
    """The text with the edits of each diagnostic, all of a diagnostic's or none.

    Where the edits of two touch the same characters, those of the first one in the text are applied: a
    second round of parsing and editing brings the rest.
    """
    chosen: list[Edit] = []
    for diagnostic in in_order(diagnostics):
        if not any(_touch(edit, other) for edit in diagnostic.edits for other in chosen):
            chosen.extend(diagnostic.edits)
    text = source.text
    for edit in sorted(chosen, key=lambda edit: edit.span, reverse=True):
        text = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
    return text


def _touch(first: Edit, second: Edit) -> bool:
    if first.span == second.span:
        return True
    return first.span.start < second.span.end and second.span.start < first.span.end
