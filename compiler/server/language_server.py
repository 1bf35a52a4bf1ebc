"""The protocol: what an editor asks goes to the functions of this package, what the compiler says goes back.

Syntax is told at every change; all the rest once typing pauses, in a thread, and only if the text is still
the same then. One text is examined at a time: SymPy keeps caches that threads must not share.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from nablax.frontend.diagnostics import Diagnostic, Report, SpecError
from nablax.frontend.formatter import format_text
from nablax.frontend.parser import parse
from nablax.frontend.source import Source, Span
from nablax.overrides import Overrides
from nablax.server.completion import completions
from nablax.server.hover import hover
from nablax.server.messages import FIX_ALL, fixes, shown
from nablax.server.names import declarations, name_at, named, outline, read
from nablax.server.places import Document

PAUSE = 0.4  # seconds without a change before the whole compiler looks at the text
Examine = Callable[[Source, Overrides, Path], tuple[Diagnostic, ...]]


class _Open:
    """The texts that an editor has open, and what was said about each."""

    def __init__(self, server: LanguageServer, examine: Examine) -> None:
        self.server = server
        self.examine = examine
        self.said: dict[str, tuple[int | None, tuple[Diagnostic, ...]]] = {}
        self.worker = ThreadPoolExecutor(1)

    def document(self, uri: str) -> Document:
        return Document(uri, self.server.workspace.get_text_document(uri).source)

    def diagnostics(self, uri: str) -> tuple[Diagnostic, ...]:
        """What was said last, if it was said of the text as it is now."""
        version = self.server.workspace.get_text_document(uri).version
        known, found = self.said.get(uri, (None, ()))
        return found if known == version else ()

    async def look(self, uri: str) -> None:
        """Tell of syntax at once, and after a pause of everything."""
        document = self.document(uri)
        version = self.server.workspace.get_text_document(uri).version
        report = Report(document.source)
        parse(document.source, report)
        if report.failed:
            self._tell(uri, document, version, tuple(report.diagnostics))
        await asyncio.sleep(PAUSE)
        if not self._current(uri, version):
            return
        path = to_fs_path(uri)
        folder = Path(path).parent if path and uri.startswith("file:") else Path.cwd()
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self.worker, self.examine, document.source, Overrides(), folder)
        if self._current(uri, version):
            self._tell(uri, document, version, found)

    def forget(self, uri: str) -> None:
        self.said.pop(uri, None)
        self.server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def _current(self, uri: str, version: int | None) -> bool:
        opened = self.server.workspace.text_documents.get(uri)
        return opened is not None and opened.version == version

    def _tell(self, uri: str, document: Document, version: int | None, found: tuple[Diagnostic, ...]) -> None:
        self.said[uri] = (version, found)
        self.server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri, shown(document, found), version)
        )


def make_server(version: str, examine: Examine) -> LanguageServer:
    """A server that has yet to be started; `examine` says everything there is to say about a text."""
    server = LanguageServer("nablax", version)
    texts = _Open(server, examine)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: types.DidOpenTextDocumentParams) -> None:
        await texts.look(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        await texts.look(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        texts.forget(params.text_document.uri)

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions([types.CodeActionKind.QuickFix, FIX_ALL]),
    )
    def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        uri = params.text_document.uri
        document = texts.document(uri)
        at = Span(document.offset(params.range.start), document.offset(params.range.end))
        return fixes(document, texts.diagnostics(uri), at, params.context.only)

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def formatting(params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
        document = texts.document(params.text_document.uri)
        try:
            text = format_text(document.source)
        except SpecError:
            return None
        return [] if text == document.text else [types.TextEdit(document.whole, text)]

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hovering(params: types.HoverParams) -> types.Hover | None:
        uri = params.text_document.uri
        document = texts.document(uri)
        module = read(document.source)
        if module is None:
            return None
        found = hover(document, module, texts.diagnostics(uri), document.offset(params.position))
        if found is None:
            return None
        text, span = found
        return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text), document.range(span))

    @server.feature(types.TEXT_DOCUMENT_COMPLETION)
    def completion(params: types.CompletionParams) -> list[types.CompletionItem]:
        document = texts.document(params.text_document.uri)
        return completions(document.source, read(document.source), document.offset(params.position))

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def symbols(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        document = texts.document(params.text_document.uri)
        module = read(document.source)
        return [] if module is None else outline(document, module)

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(params: types.DefinitionParams) -> types.Location | None:
        uri = params.text_document.uri
        document = texts.document(uri)
        module = read(document.source)
        name = None if module is None else name_at(module, document.offset(params.position))
        if module is None or name is None:
            return None
        places = [d.place for d in declarations(module) if d.name == name.id]
        return types.Location(uri, document.range(places[0])) if places else None

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(params: types.ReferenceParams) -> list[types.Location]:
        uri = params.text_document.uri
        document = texts.document(uri)
        module = read(document.source)
        name = None if module is None else name_at(module, document.offset(params.position))
        if module is None or name is None:
            return []
        declared = {d.place for d in declarations(module)}
        spans = [s for s in named(module, name.id) if params.context.include_declaration or s not in declared]
        return [types.Location(uri, document.range(s)) for s in spans]

    return server
