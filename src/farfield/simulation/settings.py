"""Settings of a simulation: one declaration gives default, type, check and help."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from farfield.settings import read_yaml, validated

Ensemble = Literal["nve", "nvt", "npt"]
TrajectoryFormat = Literal["extxyz", "hdf5"]


class CheckSettings(BaseModel):
    """When the checks look, and what they take for a failure."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stride: int = Field(default=10, ge=1, description="steps between looks at geometry and energy")
    watch_stride: int = Field(
        default=100, ge=1, description="steps between looks of the prior and of the shift"
    )
    allow_reactions: bool = Field(default=False, description="bonds may break and form")
    stop_on_alarm: bool = Field(
        default=False, description="disagreement with the prior and shift end a simulation"
    )
    temperature_factor: float = Field(
        default=5.0, gt=1, description="largest temperature, in units of the wanted one"
    )
    temperature_window: int = Field(default=10, ge=1, description="looks that are averaged")
    energy_factor: float = Field(
        default=10.0, gt=1, description="largest change of energy, in units of 3/2 kT per atom"
    )
    energy_floor: float = Field(
        default=0.3, gt=0, description="eV per atom; a smaller change of energy is none"
    )
    bonded: float = Field(
        default=1.2, gt=0, description="bonded at the start, in units of covalent radii"
    )
    broken: float = Field(default=1.6, gt=0, description="a bond longer than this is broken")
    near: float = Field(
        default=1.4, gt=0, description="pairs nearer than this at the start cannot form a bond"
    )
    overlap: float = Field(default=0.5, gt=0, description="atoms nearer than this overlap")
    lost_distance: float = Field(
        default=5.0, gt=0, description="an atom with no other within this distance is lost, Å"
    )
    drift: float = Field(
        default=0.005, gt=0, description="largest drift of the NVE energy, eV per atom and ps"
    )
    drift_after: float = Field(
        default=500.0, gt=0, description="time before the drift is judged, fs"
    )
    window: int = Field(default=5, ge=1, description="looks of the prior and of the shift together")
    disagreement_factor: float = Field(
        default=3.0, gt=1, description="largest growth of the disagreement with the prior"
    )
    disagreement_floor: float = Field(
        default=0.1, gt=0, description="eV/Å; a smaller disagreement is none"
    )
    shift_quantile: float = Field(default=0.99, gt=0, le=1, description="largest quantile")


class SimulationSettings(BaseModel):
    """How simulations are run; every field can stand in the YAML file of ``--config``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ensemble: Ensemble = Field(default="nvt", description="nve, nvt or npt")
    temperature: float = Field(default=300.0, gt=0, description="K")
    timestep: float = Field(default=0.5, gt=0, description="fs")
    duration: float = Field(default=10.0, gt=0, description="ps")
    friction: float = Field(default=0.01, gt=0, description="of the Langevin thermostat, 1/fs")
    pressure: float = Field(default=0.0, description="of npt, GPa")
    barostat_time: float = Field(default=1000.0, gt=0, description="of npt, fs")
    replicas: int = Field(default=1, ge=1, description="simulations of each starting structure")
    seed: int = Field(default=0, ge=0, description="of velocities and random forces")
    stride: int = Field(default=20, ge=1, description="steps between frames and rows of figures")
    checkpoint_stride: int = Field(default=1000, ge=1, description="steps between checkpoints")
    batch: int | None = Field(
        default=None, ge=1, description="simulations in one call of the model; None: all"
    )
    trajectory_format: TrajectoryFormat = Field(
        default="extxyz", description="extxyz, or hdf5 for long runs"
    )
    refine_every: float | None = Field(
        default=None, gt=0, description="time between looks at whether to refine anew, ps"
    )
    refine_frames: int = Field(
        default=40, ge=1, description="frames that the model is refined anew for, at most"
    )
    checks: CheckSettings = Field(default_factory=CheckSettings, description="limits of the checks")

    @property
    def steps(self) -> int:
        """Number of time steps."""
        return max(1, round(1000.0 * self.duration / self.timestep))

    @property
    def refine_stride(self) -> int | None:
        """Steps between the declared times at which the model may be refined anew."""
        if self.refine_every is None:
            return None
        return max(1, round(1000.0 * self.refine_every / self.timestep))

    def declared_before(self, step: int) -> int:
        """The last declared time before ``step``, in steps; 0 is the start."""
        stride = self.refine_stride
        return 0 if stride is None else max(0, (step - 1) // stride * stride)

    def plain(self) -> dict[str, Any]:
        """Plain values with units in the keys, for a record."""
        units = {
            "temperature": "temperature_K",
            "timestep": "timestep_fs",
            "duration": "duration_ps",
            "friction": "friction_per_fs",
            "pressure": "pressure_GPa",
            "barostat_time": "barostat_time_fs",
            "refine_every": "refine_every_ps",
        }
        return {units.get(key, key): value for key, value in self.model_dump().items()}


def load_settings(path: Path | None, **overrides: Any) -> SimulationSettings:
    """Read settings from a YAML file; ``overrides`` that are not None win.

    Raises
    ------
    ConfigError
        The file is missing or not YAML, or a key is unknown or has an impossible value.
    """
    content = read_yaml(path)
    given = {key: value for key, value in overrides.items() if value is not None}
    checks = {**(content.get("checks") or {}), **given.pop("checks", {})}
    content |= given
    if checks:
        content["checks"] = checks
    return validated(SimulationSettings, content, str(path or "simulation settings"))
