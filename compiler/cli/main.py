"""The command `nablax`: verbs, exit codes, and what becomes of a bug of ours.

Exit codes: 0 ok, 1 errors in the spec, 2 usage, 3 the run failed numerically, 4 an `expect` or an order
was missed, 5 a limit of time left an order open, 70 a bug of ours, 130 interrupted. Standard output is
the result, standard error progress and messages. This module and those of the verbs load neither SymPy nor
JAX: each verb imports what it needs.
"""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

import click

from nablax.cli.bench import bench
from nablax.cli.check import check
from nablax.cli.compile import compile_spec
from nablax.cli.explain import explain
from nablax.cli.fmt import fmt
from nablax.cli.lsp import lsp
from nablax.cli.messages import FileProblem, print_spec_error
from nablax.cli.new import new
from nablax.cli.plot import plot
from nablax.cli.run import run
from nablax.cli.show import show
from nablax.cli.train import train
from nablax.cli.verify import verify
from nablax.frontend.diagnostics import SpecError

INTERNAL = 70
INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("nablax"), message="nablax %(version)s")
def app() -> None:
    """Solve PDEs written as text.

    `nablax FILE` is short for `nablax run FILE`; `-` reads standard input.
    """


for verb in (bench, check, compile_spec, explain, fmt, lsp, new, plot, run, show, train, verify):
    app.add_command(verb)


def with_default_verb(arguments: Sequence[str]) -> list[str]:
    """`nablax file.pde ...` means `nablax run file.pde ...`."""
    if arguments:
        first = arguments[0]
        if first not in app.commands and (
            first == "-" or first.endswith((".pde", ".nbx")) or os.path.isfile(first)
        ):
            return ["run", *arguments]
    return list(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal without ∂ must not end a run
    try:
        result = app.main(
            with_default_verb(sys.argv[1:] if arguments is None else arguments),
            prog_name="nablax",
            standalone_mode=False,
        )
        sys.stdout.flush()
        return int(result or 0)
    except SpecError as error:
        print_spec_error(error)
        return 1
    except FileProblem as error:
        click.echo(f"error: {error.format_message()}", err=True)
        return error.code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`nablax show f.pde | head`); keep the interpreter from saying so at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _report_bug(error)


def _report_bug(error: Exception) -> int:
    if os.environ.get("NABLAX_DEBUG") == "1":
        import traceback

        traceback.print_exception(error)
    line = " ".join(f"{type(error).__name__}: {error}".split())
    click.echo(
        f"this is a bug in nablax: {line[:300]}\n"
        "please report it with the spec and what NABLAX_DEBUG=1 prints",
        err=True,
    )
    return INTERNAL


if __name__ == "__main__":
    sys.exit(main())
