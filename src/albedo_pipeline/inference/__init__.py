"""The DDIM sampler, prediction, baselines, evaluation."""
