"""What an editor shows about the word under the cursor."""

from nablax.frontend.blocks import FORMS
from nablax.frontend.diagnostics import Diagnostic
from nablax.frontend.explain import read_page
from nablax.frontend.source import Span
from nablax.frontend.syntax import Module, Name
from nablax.functions import CONSTANTS, FUNCTIONS
from nablax.operators import OPERATORS
from nablax.server.names import declarations, name_at
from nablax.server.places import Document


def hover(
    document: Document, module: Module, diagnostics: tuple[Diagnostic, ...], offset: int
) -> tuple[str, Span] | None:
    """Markdown about the word at an offset, with the pages of the messages there; None where there is
    nothing to say."""
    name = name_at(module, offset)
    here = [d for d in diagnostics if d.span.start <= offset <= d.span.end]
    parts = [] if name is None else [_about(document, module, name)]
    parts += [_page(code) for code in dict.fromkeys(d.code for d in here)]
    text = "\n\n---\n\n".join(part for part in parts if part)
    if not text:
        return None
    return text, name.span if name is not None else here[0].span


def _about(document: Document, module: Module, name: Name) -> str:
    """A declaration before the tables, as in the language; a block's name only where it opens one."""
    for block in module.blocks:
        if block.name.span == name.span:
            form = FORMS[name.id]
            return f"**{name.id}**: {form.wants}\n\n{_code(form.example)}"
    for d in declarations(module):
        if d.name == name.id:
            return f"{_code(document.source.slice(d.statement))}\n\ndeclared in `{d.block}`"
    if name.id in OPERATORS:
        operator = OPERATORS[name.id]
        sugar = f", or `{operator.sugar}`" if operator.sugar else ""
        options = f"\n\noptions: {', '.join(f'`{o}`' for o in operator.options)}" if operator.options else ""
        return f"`{operator.name}`{sugar}: {operator.signature}\n\n{operator.summary}{options}"
    if name.id in FUNCTIONS:
        return f"`{name.id}`: {FUNCTIONS[name.id].summary}"
    if name.id in CONSTANTS:
        return f"`{name.id}`: {CONSTANTS[name.id]}"
    axes = axes_of(module)
    if split := derivative(name.id, axes):
        return f"derivative along {', then '.join(split)}"
    return ""


def axes_of(module: Module) -> tuple[str, ...]:
    return tuple(d.name for d in declarations(module) if d.block in ("space", "time"))


def derivative(name: str, axes: tuple[str, ...]) -> tuple[str, ...]:
    """The axes that a derivative's name runs through (`dxxt`: x, x, t); empty where it is none."""
    if not name.startswith("d") or len(name) == 1:
        return ()
    ways: list[tuple[str, tuple[str, ...]]] = [(name[1:], ())]
    while ways:
        rest, taken = ways.pop()
        if not rest:
            return taken
        ways += [(rest[len(a) :], (*taken, a)) for a in axes if rest.startswith(a)]
    return ()


def _page(code: str) -> str:
    page = read_page(code)
    return (
        ""
        if page is None
        else f"**{code}: {page.title}**\n\n{page.text}\n\nGood:\n{_code(page.good.strip())}"
    )


def _code(text: str) -> str:
    return f"```pde\n{text}\n```"
