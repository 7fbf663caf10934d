"""What is compared on a task: baselines and refinements by their names in results."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from farfield.benchmarks.contestants import baselines, refined
from farfield.benchmarks.contestants.fine_tuning import fine_tune
from farfield.benchmarks.contestants.mace_multihead import mace_multihead
from farfield.benchmarks.contestants.method import Method
from farfield.benchmarks.zoo import Strategy

FROZEN: Mapping[Strategy, str] = MappingProxyType(
    {
        "freeze": "early part frozen",
        "freeze-head": "representation frozen",
        "freeze-all": "nothing frozen",
    }
)

CONTESTANTS: Mapping[str, Method] = MappingProxyType(
    {
        "supervised": Method(baselines.supervised, "supervised", ("supervised",)),
        "prior_alone": Method(baselines.prior_alone, "prior alone", prior_at_inference=True),
        "delta": Method(baselines.delta, "Δ-model", ("delta",), prior_at_inference=True),
        "joint": Method(baselines.joint, "joint, untouched", ("joint",)),
        "joint_difference": Method(
            baselines.joint_difference,
            "joint with the heads' difference, untouched",
            ("joint-difference",),
        ),
        "radius": Method(
            refined.radius, "joint, radius by the prior", ("joint",), prior_at_inference=True
        ),
        "auto": Method(refined.auto, "joint, auto", ("joint",), prior_at_inference=True),
        "paper_radius": Method(
            refined.paper_radius, "supervised, radius as in the paper", ("supervised",)
        ),
        "ttt": Method(refined.ttt, "joint, test-time training", ("joint",)),
        "ttt_prior": Method(
            refined.ttt_prior, "joint, test-time training on the prior alone", ("joint",)
        ),
        **{
            name.replace("-", "_") + ending: Method(
                partial(make, name), f"pre-trained on the prior, {words}, {done}", (name,)
            )
            for name, words in FROZEN.items()
            for ending, make, done in (
                ("", baselines.freeze, "untouched"),
                ("_ttt", refined.freeze_ttt, "test-time training"),
            )
        },
        "head_difference": Method(
            refined.head_difference,
            "joint, corrected with β = 1",
            ("joint",),
            prior_at_inference=True,
        ),
        "cautious_correction": Method(
            refined.cautious_correction,
            "joint, corrected, cautious β",
            ("joint",),
            prior_at_inference=True,
        ),
        "correction": Method(
            refined.correction,
            "joint, corrected, learned β",
            ("joint",),
            "joint",
            prior_at_inference=True,
        ),
        "difference_correction": Method(
            refined.difference_correction,
            "joint with the heads' difference, corrected, learned β",
            ("joint-difference",),
            "joint-difference",
            prior_at_inference=True,
        ),
        "delta_correction": Method(
            refined.delta_correction,
            "joint, corrected with the Δ-model too, learned β",
            ("joint", "delta"),
            "joint",
            prior_at_inference=True,
        ),
        "cautious_distil": Method(
            refined.cautious_distil, "joint, corrected (cautious β) and distilled", ("joint",)
        ),
        "distil": Method(refined.distil, "joint, corrected and distilled", ("joint",), "joint"),
        "retrofit": Method(
            refined.retrofit,
            "supervised, retrofitted and corrected",
            ("supervised", "retrofit"),
            prior_at_inference=True,
        ),
        "retrofit_head": Method(
            refined.retrofit_head,
            "supervised, retrofitted (head alone), corrected",
            ("supervised", "retrofit-head"),
            prior_at_inference=True,
        ),
        "retrofit_ttt": Method(
            refined.retrofit_ttt,
            "supervised, retrofitted, test-time training",
            ("supervised", "retrofit"),
        ),
        "retrofit_distil": Method(
            refined.retrofit_distil,
            "supervised, retrofitted, corrected and distilled",
            ("supervised", "retrofit"),
        ),
        **{
            f"fine_tune_{count}": Method(
                partial(fine_tune, count),
                f"supervised, fine-tuned on {count} LABELLED",
                ("supervised",),
                sees_labels=True,
            )
            for count in (1, 10, 100)
        },
        "mace_multihead_10": Method(
            partial(mace_multihead, 10),
            "supervised MACE, mace-torch's multihead fine-tuning on 10 LABELLED",
            ("supervised",),
            sees_labels=True,
        ),
    }
)
