"""Messages of the compiler as an editor shows them, and the edits that mend what they tell."""

from collections.abc import Iterable, Sequence

from lsprotocol import types

from nablax.frontend.diagnostics import Diagnostic, Edit, Severity
from nablax.frontend.fixes import apply_edits
from nablax.frontend.source import Span
from nablax.server.places import Document

SOURCE = "nablax"
FIX_ALL = types.CodeActionKind.SourceFixAll


def shown(document: Document, diagnostics: Iterable[Diagnostic]) -> list[types.Diagnostic]:
    """Every message at its place: the fact, its label and its help; notes with places point to them."""
    return [_shown(document, d) for d in diagnostics]


def _shown(document: Document, diagnostic: Diagnostic) -> types.Diagnostic:
    d = diagnostic
    lines = [f"{d.message} ({d.label})" if d.label else d.message]
    lines += [n.text for n in d.notes if n.span is None]
    lines += [f"help: {d.help}"] if d.help else []
    related = [
        types.DiagnosticRelatedInformation(types.Location(document.uri, document.range(n.span)), n.text)
        for n in d.notes
        if n.span is not None
    ]
    return types.Diagnostic(
        range=document.range(d.span),
        message="\n".join(lines),
        severity=types.DiagnosticSeverity.Error
        if d.severity is Severity.ERROR
        else types.DiagnosticSeverity.Warning,
        code=d.code,
        source=SOURCE,
        related_information=related,
    )


def fixes(
    document: Document, diagnostics: Sequence[Diagnostic], at: Span, only: Sequence[str] | None
) -> list[types.CodeAction]:
    """The edits of messages that touch a place, one action each, and all of the text's at once."""
    found: list[types.CodeAction] = []
    if _asked(types.CodeActionKind.QuickFix, only):
        for d in diagnostics:
            if d.edits and d.span.start <= at.end and at.start <= d.span.end:
                found.append(
                    types.CodeAction(
                        title=d.help or f"mend {d.code}",
                        kind=types.CodeActionKind.QuickFix,
                        diagnostics=shown(document, [d]),
                        edit=_change(document.uri, [_edit(document, e) for e in d.edits]),
                        is_preferred=True,
                    )
                )
    if _asked(FIX_ALL, only) and any(d.edits for d in diagnostics):
        text = apply_edits(document.source, diagnostics)
        whole = types.TextEdit(document.whole, text)
        found.append(
            types.CodeAction("mend all that messages propose", FIX_ALL, edit=_change(document.uri, [whole]))
        )
    return found


def _asked(kind: types.CodeActionKind, only: Sequence[str] | None) -> bool:
    return only is None or any(kind.value == o or kind.value.startswith(f"{o}.") for o in only)


def _edit(document: Document, edit: Edit) -> types.TextEdit:
    return types.TextEdit(document.range(edit.span), edit.replacement)


def _change(uri: str, edits: list[types.TextEdit]) -> types.WorkspaceEdit:
    return types.WorkspaceEdit(changes={uri: edits})
