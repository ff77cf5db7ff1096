"""What a training minimises: one file for each objective."""

from albedo_pipeline.training.objectives.base import Losses, Objective

__all__ = ["Losses", "Objective"]
