"""``farfield export``: write a model in its native format."""

from __future__ import annotations

from typing import Annotated

import typer

from farfield.cli import options


def command(
    model: Annotated[str, typer.Argument(help="An alias, or the path of a model.")],
    output: options.File,
    head: Annotated[
        str | None, typer.Option("--head", help="The head to keep; default: the main head.")
    ] = None,
) -> None:
    """Write a model's native file with one head, for use without farfield."""
    from farfield.processes import set_up_process
    from farfield.verbs.export import export

    set_up_process()
    export(model, output, head=head)
    typer.echo(f"{output}: written", err=True)
