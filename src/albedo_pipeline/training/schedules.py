"""Learning-rate schedules: pure functions of the step."""

import math


def learning_rate_factor(
    step: int, max_steps: int, warmup_steps: int, decay: str, final_ratio: float
) -> float:
    """Factor of the peak learning rate at `step` (0-based).

    Linear warm-up over `warmup_steps`, then `constant`, `exponential` (geometric) or `cosine`
    decay that reaches `final_ratio` at the last step.
    """
    if step < warmup_steps:
        return (step + 1) / (warmup_steps + 1)
    share = min(1.0, (step - warmup_steps) / max(1, max_steps - 1 - warmup_steps))
    if decay == "exponential":
        return final_ratio**share
    if decay == "cosine":
        return final_ratio + (1 - final_ratio) * (1 + math.cos(math.pi * share)) / 2
    return 1.0
