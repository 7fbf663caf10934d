"""``farfield evaluate``: compare a model with reference labels."""

from __future__ import annotations

from typing import Annotated

import typer

from farfield.cli import options


def command(
    test: options.Structures,
    model: options.Model,
    head: Annotated[
        str | None, typer.Option("--head", help="Output head; default: the main head.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Compare predictions with reference labels; energies up to a constant per composition."""
    import json

    from farfield.processes import set_up_process
    from farfield.verbs.evaluate import evaluate

    set_up_process()
    found = evaluate(test, model=model, head=head)
    mae = found.force_mae
    if as_json:
        content = {
            "n_structures": found.n_structures,
            "force_mae_eV_per_A": mae.value,
            "force_mae_interval_eV_per_A": [mae.low, mae.high],
            "force_rmse_eV_per_A": found.force_rmse,
            "force_mae_median_eV_per_A": found.force_mae_median,
            "energy_mae_per_atom_eV": found.energy_mae_per_atom,
            "energy_note": "after the best constant per composition",
        }
        typer.echo(json.dumps(content, allow_nan=False))
        return
    typer.echo(f"structures            {found.n_structures}")
    typer.echo(
        f"force MAE             {mae.value:.4f} eV/Å (95 %: {mae.low:.4f} to {mae.high:.4f})"
    )
    typer.echo(f"force MAE, median     {found.force_mae_median:.4f} eV/Å")
    typer.echo(f"force RMSE            {found.force_rmse:.4f} eV/Å")
    if found.energy_mae_per_atom is not None:
        energy = found.energy_mae_per_atom
        typer.echo(
            f"energy MAE per atom   {energy:.5f} eV (after the best constant per composition)"
        )
