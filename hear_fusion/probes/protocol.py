"""The settings of the paper's linear evaluation (Section IV-A)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hear_fusion.errors import InvalidError

# The paper tunes each between these ends; half decades lie between.
PAPER_LEARNING_RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
DEMO_LEARNING_RATES = (1e-4, 1e-3, 1e-2)


@dataclass(frozen=True)
class Protocol:
    """How heads are trained and chosen.

    Attributes:
        learning_rates: Candidates; the best on validation is kept, ties go to the first.
        seeds: One run each: its batches, its initial weights and, in k-fold tasks, its draw of
            the clips held out for validation.
        max_epochs: Most passes over the training clips.
        patience: Epochs after the best one before a head stops.
        batch_size: Clips a step; fewer if there are fewer.
        weight_decay: Adam's, added to the gradient.
        held_out: Share of the training folds held out for validation in k-fold tasks.
        max_draws: Draws of that share, until every class occurs in it.

    >>> Protocol().learning_rates[-1]
    0.01
    >>> Protocol(patience=0)
    Traceback (most recent call last):
    ValueError: patience must be at least 1, got 0; the paper's is 20
    """

    learning_rates: tuple[float, ...] = PAPER_LEARNING_RATES
    seeds: tuple[int, ...] = (42, 43, 44)
    max_epochs: int = 200
    patience: int = 20
    batch_size: int = 200
    weight_decay: float = 1e-8
    held_out: float = 0.1
    max_draws: int = 100

    def __post_init__(self) -> None:
        given = self.learning_rates
        usable = all(math.isfinite(number) and number > 0 for number in given)
        if not given or not usable or len(set(given)) < len(given):
            raise InvalidError(
                f"learning_rates must be one or more different positive numbers, got {given}; "
                f"the paper's lie in {PAPER_LEARNING_RATES}"
            )
        if not self.seeds or len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            raise InvalidError(
                f"seeds must be one or more different integers from 0, got {self.seeds}; "
                "the paper's are (42, 43, 44)"
            )
        for name in ("max_epochs", "patience", "batch_size", "max_draws"):
            if getattr(self, name) < 1:
                raise InvalidError(
                    f"{name} must be at least 1, got {getattr(self, name)}; "
                    f"the paper's is {getattr(Protocol, name)}"
                )
        if not 0 < self.held_out < 1:
            raise InvalidError(
                f"held_out must be between 0 and 1, got {self.held_out}; the paper's is 0.1"
            )
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise InvalidError(
                f"weight_decay must be 0 or more, got {self.weight_decay}; the paper's is 1e-8"
            )


# Reduced for demonstrations: fewer learning rates, all else as in the paper. Not fewer epochs:
# small tasks have few steps an epoch.
DEMO_PROTOCOL = Protocol(learning_rates=DEMO_LEARNING_RATES)
