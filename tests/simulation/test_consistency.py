"""Forces that do not follow from the energy are noticed before they are integrated."""

from __future__ import annotations

import pytest
from ase.build import bulk, molecule
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT

from farfield import simulate
from farfield.errors import DirectForcesWarning
from farfield.potentials import BlackBoxPotential
from farfield.potentials.create import create
from farfield.simulation.consistency import consistency_warnings, inconsistency


class Scaled(Calculator):
    """EMT whose forces are multiplied, or turned against the energy."""

    implemented_properties = ["energy", "forces"]  # noqa: RUF012 - as ASE has it

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        copy = atoms.copy()
        copy.calc = EMT()
        self.results = {
            "energy": copy.get_potential_energy(),
            "forces": self.factor * copy.get_forces(),
        }


@pytest.fixture
def direct():
    """An untrained GemNet-dT: its forces have nothing to do with its energy."""
    energies = {1: -13.6, 8: -2042.0}
    small = dict.fromkeys(("atom_channels", "edge_channels"), 8)
    small |= dict.fromkeys(("triplet_channels", "bilinear_channels", "basis_channels"), 4)
    return create(
        "gemnet-dt",
        {**small, "n_blocks": 2, "n_radial": 3, "n_spherical": 2, "cutoff": 3.0},
        structures=[molecule("H2O")],
        heads={"reference": energies},
        scales={"reference": 1.0},
        seed=0,
    )


@pytest.mark.parametrize(
    "atoms", [molecule("CH3CH2OH"), bulk("Cu", cubic=True)], ids=["ethanol", "copper"]
)
def test_a_gradient_is_consistent(atoms):
    assert inconsistency(EMT(), atoms) < 0.03
    assert consistency_warnings(BlackBoxPotential(EMT()), atoms) == []


@pytest.mark.parametrize("factor", [1.5, 0.5, -1.0])
def test_forces_of_another_energy_are_noticed_and_measured(factor):
    atoms = molecule("CH3CH2OH")
    found = inconsistency(Scaled(factor), atoms)
    assert found == pytest.approx(abs(1.0 - 1.0 / factor), abs=0.05)
    (warning,) = consistency_warnings(BlackBoxPotential(Scaled(factor)), atoms)
    assert "do not follow from its energy" in warning
    assert f"{100 * found:.0f} %" in warning


def test_an_atom_alone_has_no_force_to_compare():
    atoms = molecule("H")
    assert inconsistency(EMT(), atoms) == 0.0


def test_what_cannot_be_computed_is_no_evidence():
    calculator = Scaled(float("nan"))
    assert consistency_warnings(BlackBoxPotential(calculator), molecule("H2O")) == []


def test_direct_forces_are_flagged_by_calculator_record_and_report(direct, tmp_path):
    with pytest.warns(DirectForcesWarning, match="not as the gradient of its energy"):
        direct.calculator()
    done = simulate([molecule("H2O")], model=direct, output=tmp_path, duration=0.002, timestep=0.5)
    (warning,) = done.record["warnings"]
    assert "predicts forces directly" in warning
    assert warning[:60] in (tmp_path / "report.html").read_text()
