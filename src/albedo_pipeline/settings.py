"""Kedro's project settings."""

from albedo_pipeline.config_loader import ConfigLoader
from albedo_pipeline.hooks import (
    CorrectVizRecord,
    DistributedRuns,
    LogSteps,
    RejectUnknownNames,
    UnlinkDvcCache,
)

HOOKS = (RejectUnknownNames(), DistributedRuns(), UnlinkDvcCache(), LogSteps(), CorrectVizRecord())
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry",)
CONFIG_LOADER_CLASS = ConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "merge_strategy": {"parameters": "soft"},  # an environment lists only what differs from base
}
