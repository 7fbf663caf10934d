"""The molecules of the embedded example, and how many structures of each are drawn.

Training molecules are open chains of H, C, N and O. Each shifted set departs from
them along one axis; ``in_distribution`` is the control and departs along none.
"""

from __future__ import annotations

from dataclasses import dataclass

CHAINS = {
    "butane": "CCCC",
    "1-propanol": "CCCO",
    "ethanolamine": "NCCO",
    "butanone": "CCC(C)=O",
    "N-methylacetamide": "CC(=O)NC",
    "methyl acetate": "COC(C)=O",
    "propionitrile": "CCC#N",
    "1-butene": "C=CCC",
}
NEW_MOLECULES = {
    "acetic acid": "CC(=O)O",
    "urea": "NC(N)=O",
    "nitroethane": "CC[N+](=O)[O-]",
    "1,2-dimethylhydrazine": "CNNC",
}
FLUORINATED = {
    "1-fluoropropane": "CCCF",
    "2-fluoroethanol": "OCCF",
    "2-fluoroethylamine": "NCCF",
    "fluoroacetone": "CC(=O)CF",
}
RINGS_AND_CAGES = {
    "bicyclo[1.1.0]butane": "C1C2CC12",
    "bicyclo[1.1.1]pentane": "C1C2CC1C2",
    "spiropentane": "C1CC12CC2",
    "2-oxabicyclo[1.1.1]pentane": "C1C2OC1C2",
}


@dataclass(frozen=True)
class Draw:
    """How structures of one set are drawn: molecules, temperatures (K), compression."""

    molecules: dict[str, str]
    seed: int
    temperatures: tuple[float, ...]  # one molecular-dynamics run each, K
    frames: int  # structures kept per run
    compression: tuple[float, ...] = (1.0,)  # linear scale, cycled over the frames


SETS = {
    "train": Draw(CHAINS, seed=1, temperatures=(300.0, 400.0, 500.0), frames=10),
    "in_distribution": Draw(CHAINS, seed=2, temperatures=(300.0, 500.0), frames=4),
    "new_molecules": Draw(NEW_MOLECULES, seed=3, temperatures=(300.0, 500.0), frames=5),
    "high_force_norm": Draw(
        CHAINS, seed=4, temperatures=(2000.0,), frames=5, compression=(1.0, 1.0, 1.0, 0.94, 0.92)
    ),
    "new_element": Draw(FLUORINATED, seed=5, temperatures=(300.0, 500.0), frames=5),
    "new_connectivity": Draw(RINGS_AND_CAGES, seed=6, temperatures=(300.0, 500.0), frames=5),
}
ELEMENTS = ("H", "C", "N", "O", "F")
