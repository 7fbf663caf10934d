"""All axes by name: those that make the combined quantile first, then the further ones."""

from __future__ import annotations

from collections.abc import Sequence

from farfield.errors import ConfigError, did_you_mean
from farfield.shifts.axes.committee import Committee
from farfield.shifts.axes.composition import Composition
from farfield.shifts.axes.connectivity import Connectivity
from farfield.shifts.axes.connectivity_mean import MeanConnectivity
from farfield.shifts.axes.connectivity_plain import PlainConnectivity
from farfield.shifts.axes.connectivity_unnormalised import UnnormalisedConnectivity
from farfield.shifts.axes.coordination import Coordination
from farfield.shifts.axes.elements import Elements
from farfield.shifts.axes.force_norm import ForceNorm
from farfield.shifts.axes.mahalanobis import Mahalanobis
from farfield.shifts.axes.prior_force_norm import PriorForceNorm
from farfield.shifts.axes.prior_residual import PriorResidual
from farfield.shifts.axes.representation import Representation
from farfield.shifts.axes.share_near_one import ShareNearOne
from farfield.shifts.axes.size import Size
from farfield.shifts.axes.spectrum_padded import PaddedSpectrum
from farfield.shifts.contract import Detector

DETECTORS: dict[str, Detector] = {
    detector.axis: detector
    for detector in (
        Elements(),
        ForceNorm(),
        Connectivity(),
        Representation(),
        PriorResidual(),
        Committee(),
        PriorForceNorm(),
        Composition(),
        Size(),
        Mahalanobis(),
        Coordination(),
        PlainConnectivity(),
        MeanConnectivity(),
        UnnormalisedConnectivity(),
        ShareNearOne(),
        PaddedSpectrum(),
    )
}
DEFAULT = tuple(axis for axis, detector in DETECTORS.items() if detector.default)
ALL = "all"


def chosen_axes(axes: Sequence[str] | str | None) -> tuple[str, ...]:
    """The axes that are asked for: None for the default ones, ``"all"``, or names.

    Raises
    ------
    ConfigError
        A name that is no axis, or none at all.
    """
    if axes is None:
        return DEFAULT
    names = [axes] if isinstance(axes, str) else list(axes)
    if names == [ALL]:
        return tuple(DETECTORS)
    for name in names:
        if name not in DETECTORS:
            raise ConfigError(f"there is no axis {name!r}{did_you_mean(name, [*DETECTORS, ALL])}")
    if not names:
        raise ConfigError("no axis was chosen: leave axes out for the default ones")
    return tuple(name for name in DETECTORS if name in names)


def verdict_axes(axes: Sequence[str] | str | None) -> tuple[str, ...]:
    """The axes of which the combined quantile is made: the default ones, or those named."""
    names = chosen_axes(axes)
    return DEFAULT if names == tuple(DETECTORS) else names
