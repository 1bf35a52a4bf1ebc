"""What nablax says about a spec: located, coded, with a help line and edits a machine can apply."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from nablax.frontend.source import Source, Span

MAXIMUM = 20  # errors collected before the rest is counted only


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text of `span`; an empty span inserts."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class Note:
    """A further fact, at a place of its own where it has one."""

    text: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message. `message` states the fact, lower case, no full stop; only `help` proposes.

    `code` names the page that `nablax explain` prints (`frontend/pages/<code>.md`); `label` is the
    text beside the carets. `given` is the text that the message speaks of where it stands outside the
    spec (`--set nu=2u`); the span then says nothing.
    """

    code: str
    message: str
    span: Span
    label: str = ""
    notes: tuple[Note, ...] = ()
    help: str = ""
    edits: tuple[Edit, ...] = ()
    severity: Severity = Severity.ERROR
    given: str = ""


class Report:
    """Collects the diagnostics of one compilation; handed from stage to stage."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep a diagnostic, once per code and place."""
        key = (diagnostic.code, diagnostic.span, diagnostic.given)
        if not any((d.code, d.span, d.given) == key for d in self.diagnostics):
            self.diagnostics.append(diagnostic)

    def error(
        self,
        code: str,
        span: Span,
        message: str,
        *,
        label: str = "",
        help: str = "",
        notes: Iterable[Note] = (),
        edits: Iterable[Edit] = (),
        given: str = "",
    ) -> None:
        self.add(Diagnostic(code, message, span, label, tuple(notes), help, tuple(edits), given=given))

    def warning(
        self,
        code: str,
        span: Span,
        message: str,
        *,
        label: str = "",
        help: str = "",
        notes: Iterable[Note] = (),
        edits: Iterable[Edit] = (),
        given: str = "",
    ) -> None:
        warning = Severity.WARNING
        self.add(Diagnostic(code, message, span, label, tuple(notes), help, tuple(edits), warning, given))

    @property
    def failed(self) -> bool:
        return any(d.severity is Severity.ERROR for d in self.diagnostics)

    def check(self) -> None:
        """Raise `SpecError` if an error was collected."""
        if self.failed:
            raise SpecError(self.source, tuple(self.diagnostics))


class SpecError(Exception):
    """A spec with errors; `diagnostics` holds them in the order of the text."""

    def __init__(self, source: Source, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.source = source
        self.diagnostics = tuple(sorted(diagnostics, key=lambda d: d.span))
        super().__init__()

    def __str__(self) -> str:
        from nablax.frontend.render import render_all

        return render_all(self.source, self.diagnostics)
