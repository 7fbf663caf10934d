"""How far a structure is from training, along which axis: detectors, profile, diagnosis."""

from farfield.shifts.calibration import ErrorCalibration, ErrorEstimate, calibrate
from farfield.shifts.contract import Described, Detector, Score
from farfield.shifts.detectors import DEFAULT, DETECTORS, chosen_axes
from farfield.shifts.diagnosis import Diagnosis, StructureDiagnosis, diagnose
from farfield.shifts.merging import merge
from farfield.shifts.observation import Observation, force_source, observe
from farfield.shifts.profile import Profile

__all__ = [
    "DEFAULT",
    "DETECTORS",
    "Described",
    "Detector",
    "Diagnosis",
    "ErrorCalibration",
    "ErrorEstimate",
    "Observation",
    "Profile",
    "Score",
    "StructureDiagnosis",
    "calibrate",
    "chosen_axes",
    "diagnose",
    "force_source",
    "merge",
    "observe",
]
