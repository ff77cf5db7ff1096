"""Settings of where the work of a pipeline is done."""

from typing import Literal, Self

from pydantic import Field, model_validator

from albedo_pipeline.params.base import Params


class ComputeParams(Params):
    """Where the work of a pipeline is done: in this process, or by the workers of Ray.

    It does not change the result, except that a GPU computes other bits than a CPU.
    """

    engine: Literal["local", "ray"] = "local"
    """`local`: this process, with threads on its cores; `ray`: processes of a Ray cluster, which
    needs the extra `cluster`."""
    address: str | None = None
    """Address of a running cluster: `HOST:6379`, or `auto` for the one that this machine belongs
    to; null starts Ray on this machine until the run ends. Only for `ray`."""
    workers: int | None = Field(None, ge=1)
    """Number of processes, each with one core and `gpus_per_worker`; null: as many as the cluster
    has room for. Only for `ray`."""
    gpus_per_worker: float = Field(0, ge=0, le=1)
    """GPUs of each process: 1, a share such as 0.5, or 0 for the CPU. Only for `ray`."""

    @property
    def worker_gpus(self) -> float | None:
        """GPUs of each worker; None if the work is done in this process."""
        return None if self.engine == "local" else self.gpus_per_worker

    @model_validator(mode="after")
    def _only_for_ray(self) -> Self:
        others = [name for name in self.model_fields_set if name != "engine"]
        if self.engine == "local" and any(getattr(self, name) for name in others):
            raise ValueError(f"{' and '.join(sorted(others))} need engine 'ray'")
        return self


LOCAL = ComputeParams()
"""All work in this process."""
