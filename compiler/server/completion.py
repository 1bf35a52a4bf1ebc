"""What may be written where the cursor stands."""

from collections.abc import Iterator

from lsprotocol import types

from nablax.frontend.blocks import BLOCKS, FORMS
from nablax.frontend.diagnostics import Report
from nablax.frontend.lexer import scan
from nablax.frontend.outline import outline
from nablax.frontend.source import Source
from nablax.frontend.syntax import Module
from nablax.functions import CONSTANTS, FUNCTIONS
from nablax.meaning.options import KNOWN
from nablax.operators import OPERATORS
from nablax.server.hover import axes_of
from nablax.server.names import declarations

_KIND_OF = {
    "space": types.CompletionItemKind.Variable,
    "time": types.CompletionItemKind.Variable,
    "fields": types.CompletionItemKind.Field,
    "params": types.CompletionItemKind.Constant,
    "let": types.CompletionItemKind.Function,
}


def completions(source: Source, module: Module | None, offset: int) -> list[types.CompletionItem]:
    """Blocks that are missing outside of blocks; options in `solve`, `train` and `output`; names and
    operators elsewhere."""
    found = outline(scan(source, Report(source)), Report(source))
    before = [b for b in found.blocks if b.span.start <= offset]
    open_ = [b for b in before[-1:] if offset < b.span.end or source.text[b.span.end - 1] != "}"]
    block = next((b.name.text for b in open_), None)
    if block is None:
        present = {b.name.text for b in found.blocks}
        return [_block(name) for name in BLOCKS if name not in present]
    if block in KNOWN:
        return [
            _item(name, types.CompletionItemKind.Property, f"option of `{block}`", f"{name} = ")
            for name in KNOWN[block]
        ]
    if block in ("space", "time", "fields"):
        return []
    return list(_words(module))


def _block(name: str) -> types.CompletionItem:
    form = FORMS[name]
    body = f"{name} {{\n  ${{1:{form.example.replace('}', chr(92) + '}')}}}\n}}"
    return types.CompletionItem(
        label=name,
        kind=types.CompletionItemKind.Module,
        detail=form.wants,
        insert_text=body,
        insert_text_format=types.InsertTextFormat.Snippet,
    )


def _words(module: Module | None) -> Iterator[types.CompletionItem]:
    if module is not None:
        for d in declarations(module):
            yield _item(d.name, _KIND_OF[d.block], f"declared in `{d.block}`")
        for axis in axes_of(module):
            yield _item(
                f"d{axis}", types.CompletionItemKind.Operator, f"derivative along {axis}", f"d{axis}("
            )
    for operator in OPERATORS.values():
        detail = f"{operator.summary}: {operator.signature}"
        yield _item(operator.name, types.CompletionItemKind.Operator, detail, f"{operator.name}(")
    for function in FUNCTIONS.values():
        yield _item(function.name, types.CompletionItemKind.Function, function.summary, f"{function.name}(")
    for name in CONSTANTS:
        yield _item(name, types.CompletionItemKind.Constant, "constant")


def _item(
    name: str, kind: types.CompletionItemKind, detail: str, inserted: str | None = None
) -> types.CompletionItem:
    return types.CompletionItem(label=name, kind=kind, detail=detail, insert_text=inserted)
