"""Kedro's project settings."""

from albedo_pipeline.hooks import Links, Names, Processes, Progress

HOOKS = (Names(), Processes(), Links(), Progress())
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry",)
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "merge_strategy": {"parameters": "soft"},  # an environment names only what differs
}
