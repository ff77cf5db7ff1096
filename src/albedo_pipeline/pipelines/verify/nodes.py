"""Nodes of `verify`."""

import logging
from pathlib import Path

from albedo_pipeline.params import VerifyParams

logger = logging.getLogger(__name__)


def check_host(project_model: Path, params: VerifyParams) -> None:
    """Predict the reference of an export with plain diffusers, and stop if the picture differs."""
    from albedo_pipeline.errors import ProjectError, one_line
    from albedo_pipeline.models.host_check import verdict
    from albedo_pipeline.models.hub import model_on_disk

    folder = model_on_disk(params.model, params.revision) if params.model else project_model
    try:
        is_same, line = verdict(folder, params.device)
    except Exception as error:  # a damaged folder raises errors of many types
        raise ProjectError(f"{folder}: {one_line(error)}") from error
    if not is_same:
        raise ProjectError(line)
    logger.info(line)
