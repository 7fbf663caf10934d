"""The command ``farfield``: one file per verb, no logic."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from farfield.cli import (
    demo,
    diagnose,
    doctor,
    evaluate,
    export,
    label,
    listing,
    profile,
    refine,
    train,
)
from farfield.errors import FarfieldError

app = typer.Typer(
    name="farfield",
    help="How far is a structure from what a force field was trained on, along which axis, "
    "and what can be done about it without labels?",
    no_args_is_help=True,
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
    "evaluate": evaluate,
    "export": export,
    "list": listing,
    "doctor": doctor,
}.items():
    app.command(verb)(module.command)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"farfield {version('farfield')}")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; an expected error is one line on standard error and exit code 2."""
    try:
        app()
    except FarfieldError as error:
        typer.echo(f"farfield: error: {' '.join(str(error).split())}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo("farfield: stopped; what was finished is kept", err=True)
        sys.exit(130)
