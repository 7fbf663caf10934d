"""How far a structure is from training, along which axis: detectors, profile, diagnosis."""

from farfield.shifts.calibration import ErrorCalibration, ErrorEstimate, calibrate
from farfield.shifts.contract import Detector, Score
from farfield.shifts.diagnosis import Diagnosis, StructureDiagnosis, diagnose
from farfield.shifts.observation import Observation, force_source, observe
from farfield.shifts.profile import DETECTORS, Profile

__all__ = [
    "DETECTORS",
    "Detector",
    "Diagnosis",
    "ErrorCalibration",
    "ErrorEstimate",
    "Observation",
    "Profile",
    "Score",
    "StructureDiagnosis",
    "calibrate",
    "diagnose",
    "force_source",
    "observe",
]
