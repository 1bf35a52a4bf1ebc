"""`nablax lsp`: a language server on standard input and output."""

from importlib.metadata import version

import click


@click.command(short_help="Serve an editor: messages, fixes, hovers, layout.")
def lsp() -> int:
    """Serve an editor by the language server protocol, on standard input and output."""
    from nablax.cli.check import examine
    from nablax.server.language_server import make_server

    make_server(version("nablax"), examine).start_io()
    return 0
