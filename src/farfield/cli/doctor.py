"""``farfield doctor``: what is installed, and what is missing for which purpose."""

from __future__ import annotations

import typer

from farfield.cli import options

PURPOSES = {
    "torch": "core",
    "ase": "core",
    "vesin": "core",
    "mace-torch": "MACE models: pip install 'farfield[mace]'",
    "graph-pes": "SchNet, PaiNN, NequIP and TensorNet: pip install 'farfield[graphpes]'",
    "chgnet": "CHGNet models: pip install 'farfield[chgnet]'",
    "tblite": "the priors gfn2 and gfn1: pip install 'farfield[xtb]'",
    "xtb": "the prior gfnff, on Python 3.11: pip install 'farfield[gfnff]'",
    "rdkit": "the priors mmff94 and uff: pip install 'farfield[rdkit]'",
    "dftd3": "the dispersion d3-FUNCTIONAL: pip install 'farfield[dispersion]'",
    "dftd4": "the dispersion d4-FUNCTIONAL: pip install 'farfield[dispersion]'",
    "pooch": "downloading data sets: pip install 'farfield[data]'",
    "h5py": "SPICE and ANI-1x, trajectories in HDF5: pip install 'farfield[data]'",
    "lmdb": "reading .aselmdb files: pip install 'farfield[data]'",
    "sgdml": "priors of the kind sgdml:FILE: pip install 'farfield[sgdml]'",
}


def command(as_json: options.Json = False) -> None:
    """Show versions, optional packages and how to get what is missing."""
    import json
    import os
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str | None] = {}
    for package in PURPOSES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    if as_json:
        typer.echo(json.dumps({"python": platform.python_version(), "packages": found}))
        return
    typer.echo(f"{'farfield':12}{version('farfield')}")
    typer.echo(f"{'python':12}{platform.python_version()}, {os.cpu_count()} processors")
    for package, installed in found.items():
        missing = f"missing; for {PURPOSES[package]}"
        typer.echo(f"{package:12}{installed or missing}")
