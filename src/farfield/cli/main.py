"""The command ``farfield``: one file per verb, no logic."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated, Any

import typer

from farfield.cli import (
    bench,
    compare,
    data,
    demo,
    diagnose,
    doctor,
    evaluate,
    export,
    label,
    listing,
    profile,
    refine,
    simulate,
    train,
)
from farfield.errors import FarfieldError

INTERRUPTED = 130
UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # click's, or typer's copy of it

app = typer.Typer(
    name="farfield",
    help="How far is a structure from what a force field was trained on, along which axis, "
    "and what can be done about it without labels?",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for verb, module in {
    "demo": demo,
    "profile": profile,
    "diagnose": diagnose,
    "label": label,
    "train": train,
    "refine": refine,
    "simulate": simulate,
    "compare": compare,
    "evaluate": evaluate,
    "export": export,
    "list": listing,
    "doctor": doctor,
}.items():
    app.command(verb)(module.command)
GROUPS = {"bench": bench, "data": data}
for group, module in GROUPS.items():
    app.add_typer(module.app, name=group)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"farfield {version('farfield')}")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; an expected error is one line on standard error and exit code 2."""
    words = sys.argv[1:]
    if not words or (len(words) == 1 and words[0] in GROUPS):
        words.append("--help")
    try:
        code = app(words, prog_name="farfield", standalone_mode=False)
    except FarfieldError as error:
        code = _failed(str(error))
    except UsageError as error:
        code = _failed(_usage(error))
    except OSError as error:
        code = _failed(_file_trouble(error))
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    if code == INTERRUPTED:  # which typer may return as well
        typer.echo("farfield: stopped; what was finished is kept", err=True)
    sys.exit(code)


def _failed(message: str) -> int:
    typer.echo(f"farfield: error: {' '.join(message.split())}", err=True)
    return 2


def _usage(error: Any) -> str:
    """Say what was wrong with an option or argument, and where the right ones stand."""
    near = vars(error).get("possibilities")
    message = f"{error.message}; did you mean {near[0]!r}?" if near else error.format_message()
    return f"{message} (see {error.ctx.command_path if error.ctx else 'farfield'} --help)"


def _file_trouble(error: OSError) -> str:
    """Name the file that was meant, not the partial one beside it."""
    name = error.filename2 or error.filename
    where = f"{name}: " if name else ""
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return f"{where}a folder is needed here, and this is a file: choose another output"
    return f"{where}{error.strerror or error}: is the path right, and may you write there?"
