"""``farfield list``: what can be named on the command line."""

from __future__ import annotations

import typer

from farfield.cli import options


def command(as_json: options.Json = False) -> None:
    """List models, priors, axes, training strategies and refinements."""
    import json

    from farfield.potentials.adapters import architectures
    from farfield.potentials.loading import ALIASES
    from farfield.priors import FORMS, PRIORS
    from farfield.shifts import DETECTORS
    from farfield.training.strategies import STRATEGIES
    from farfield.verbs.methods import METHODS

    content = {
        "models": list(ALIASES),
        "architectures": list(architectures()),
        "priors": list(PRIORS),
        "prior_forms": list(FORMS),
        "axes": list(DETECTORS),
        "strategies": list(STRATEGIES),
        "methods": list(METHODS),
    }
    if as_json:
        typer.echo(json.dumps(content))
        return
    for kind, names in content.items():
        typer.echo(f"{kind:14}{', '.join(names)}")
