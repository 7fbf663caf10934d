"""A MACE model's configuration as plain values, and the model built from them."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch

from farfield.errors import CapabilityError
from farfield.potentials.mace.library import contained, mace_modules, mace_scripts
from farfield.potentials.precision import default_dtype

_CLASSES = ("interaction_cls", "interaction_cls_first", "readout_cls")
_IRREPS = ("hidden_irreps", "MLP_irreps", "edge_irreps")
_ARRAYS = ("atomic_energies", "atomic_inter_scale", "atomic_inter_shift", "atomic_numbers")
_LEFT_OUT = ("cueq_config", "oeq_config", "embedding_specs")  # none of them in this format


def plain_config(module: torch.nn.Module) -> dict[str, Any]:
    """Describe a ScaleShiftMACE by numbers, strings and lists.

    Raises
    ------
    CapabilityError
        The model is of a class that mace-torch itself cannot describe.
    """
    if type(module).__name__ != "ScaleShiftMACE":
        raise CapabilityError(
            f"a {type(module).__name__} model cannot be rebuilt from a configuration, only a "
            "ScaleShiftMACE can: it can predict and be adapted, not get a head or be saved"
        )
    config = dict(mace_scripts().extract_config_mace_model(module))
    for key in _LEFT_OUT:
        if config.pop(key, None) is not None:
            raise CapabilityError(f"MACE models with {key} cannot be saved by farfield yet")
    gates = {gate: name for name, gate in mace_modules().gate_dict.items()}
    config["gate"] = gates[config["gate"]]
    for key in _CLASSES:
        config[key] = config[key].__name__
    for key in _IRREPS:
        config[key] = None if config[key] is None else str(config[key])
    for key in _ARRAYS:
        config[key] = np.asarray(config[key]).tolist()
    config["heads"] = list(config["heads"])
    return config


def build(config: dict[str, Any], dtype: torch.dtype) -> torch.nn.Module:
    """Build an untrained ScaleShiftMACE; torch's random generator gives the weights."""
    modules = mace_modules()  # before e3nn, which cannot read its constants without it
    from e3nn import o3

    values = dict(config)
    classes = {**modules.interaction_classes, **modules.readout_classes}
    for key in _CLASSES:
        values[key] = classes[values[key]]
    for key in _IRREPS:
        values[key] = None if values[key] is None else o3.Irreps(values[key])
    for key in _ARRAYS:
        values[key] = np.asarray(values[key])
    values["gate"] = modules.gate_dict[values["gate"]]
    with contained(), default_dtype(dtype):
        module = modules.ScaleShiftMACE(**values)
    energies = torch.as_tensor(values["atomic_energies"], dtype=torch.float64)
    module.atomic_energies_fn.atomic_energies = energies  # float32 would cost 0.5 meV
    return cast(torch.nn.Module, module)
