"""The sampler, the estimator, ensembles, tiles, and the job that predicts a user's images."""
