"""The scheduler of diffusers that the project's diffusion maths agrees with."""

from diffusers import DDIMScheduler


def diffusers_scheduler(**changes) -> DDIMScheduler:
    options = {
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "rescale_betas_zero_snr": True,
        "timestep_spacing": "trailing",
        "set_alpha_to_one": False,
        "clip_sample": False,
        "prediction_type": "v_prediction",
    }
    return DDIMScheduler(**(options | changes))
