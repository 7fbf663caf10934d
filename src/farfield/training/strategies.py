"""The names of the training strategies; each has a module of its own.

:mod:`~farfield.training.supervised`: the main head alone learns, from the reference.
:mod:`~farfield.training.joint`: main head and prior head learn together from the start.
:mod:`~farfield.training.freeze`: all learns from the prior first; then the representation, or
its early part, stays as it is, and the main head learns from the reference.
:mod:`~farfield.training.delta`: one head learns the reference minus a prior.
:mod:`~farfield.training.retrofit`: a trained model gets a prior head, without a reference label.
"""

from __future__ import annotations

STRATEGIES = ("supervised", "joint", "freeze", "delta", "retrofit")
