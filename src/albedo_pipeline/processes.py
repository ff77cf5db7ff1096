"""The processes that torchrun starts: which one this is, and waiting for the others."""

import atexit
import os
from datetime import timedelta


def rank() -> int:
    """Number of this process; 0 writes what is written once."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """Number of processes."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def wait_for_all() -> None:
    """Return when every process has come here, however long that takes."""
    if world_size() == 1:
        return
    import torch.distributed as distributed

    # Once: a second group would meet the first one's traces in the common store.
    if not distributed.is_initialized():
        distributed.init_process_group("gloo", timeout=timedelta(days=30))
        atexit.register(distributed.destroy_process_group)
    distributed.barrier()
