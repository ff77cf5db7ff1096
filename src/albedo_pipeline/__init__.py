"""From pairs of beauty images and albedo maps to a latent-diffusion albedo estimator."""

__version__ = "0.1.0"
