"""The server in a process of its own, driven as an editor drives it."""

import asyncio
import sys

from lsprotocol import types
from pygls.lsp.client import LanguageClient

URI = "untitled:heat.pde"
HEAT = """space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) }
initial { u = 0 }
boundary { all: u = 0 }
"""


def test_an_editing_session():
    asyncio.run(asyncio.wait_for(_session(), 120))


async def _session() -> None:
    client = LanguageClient("editor", "1")
    told: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()

    @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def tell(params: types.PublishDiagnosticsParams) -> None:
        told.put_nowait(params)

    await client.start_io(sys.executable, "-m", "nablax.cli.main", "lsp")
    started = await client.initialize_async(types.InitializeParams(capabilities=types.ClientCapabilities()))
    assert started.server_info.name == "nablax"
    client.initialized(types.InitializedParams())
    this = types.TextDocumentIdentifier(URI)
    wrong = HEAT.replace("dxx(u) }", "laplacain(u) }")
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(URI, "pde", 1, wrong))
    )
    found = await told.get()
    assert [d.code for d in found.diagnostics] == ["P104"]
    place = found.diagnostics[0].range
    actions = await client.text_document_code_action_async(
        types.CodeActionParams(this, place, types.CodeActionContext(found.diagnostics))
    )
    (fix,) = (a for a in actions if a.kind == types.CodeActionKind.QuickFix)
    (edit,) = fix.edit.changes[URI]
    assert (edit.range, edit.new_text) == (place, "laplacian")
    # What an editor sends while someone types: a piece of the text.
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            types.VersionedTextDocumentIdentifier(uri=URI, version=2),
            [types.TextDocumentContentChangePartial(text="laplacian", range=place)],
        )
    )
    found = await told.get()
    assert (found.version, len(found.diagnostics)) == (2, 0)
    above = await client.text_document_hover_async(types.HoverParams(this, types.Position(3, 22)))
    assert "Laplacian" in above.contents.value
    where = await client.text_document_definition_async(types.DefinitionParams(this, types.Position(3, 30)))
    assert where.range.start == types.Position(2, 9)
    laid_out = await client.text_document_formatting_async(
        types.DocumentFormattingParams(this, types.FormattingOptions(tab_size=2, insert_spaces=True))
    )
    assert not laid_out
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()
