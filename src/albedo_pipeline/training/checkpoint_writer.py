"""Writing checkpoints while the training goes on."""

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from albedo_pipeline.artifacts.checkpoints import Checkpoints
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params.optimisation import CheckpointSchedule
from albedo_pipeline.runtime.remote_folder import log_not_sent
from albedo_pipeline.training.due import kept_steps
from albedo_pipeline.training.resume import OPTIMISER_FILE, Snapshot


class CheckpointWriter:
    """Writes one checkpoint at a time, on a thread.

    The context waits for the last one at its end, however it ends.
    """

    def __init__(self, store: Checkpoints, schedule: CheckpointSchedule) -> None:
        self._store, self._schedule = store, schedule
        self._thread = ThreadPoolExecutor(1, "checkpoint")
        self._last: Future[None] | None = None
        self._not_sent: ProjectError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._thread.shutdown()

    def write(self, step: int, snapshot: Snapshot, best: list[int], pausing: bool = False) -> None:
        """Wait until the checkpoint before is written, and begin with this one.

        Args:
            step: number of optimiser steps done.
            snapshot: content of the checkpoint.
            best: steps of the best checkpoints, which are kept.
            pausing: whether the training pauses; see `finish`.

        Raises:
            Exception: if the checkpoint before could not be written or sent.
        """
        self.finish(pausing)
        self._last = self._thread.submit(self._write, step, snapshot, best)

    def finish(self, pausing: bool = False) -> None:
        """Wait until the last checkpoint is written, and sent if it is of a working copy.

        Args:
            pausing: whether the training pauses. Then a checkpoint that is written but could not be
                sent is only logged: the next run sends it.

        Raises:
            Exception: if it could not be written or sent.
        """
        last, self._last = self._last, None
        if last is not None:
            last.result()
        error, self._not_sent = self._not_sent, None
        if error is not None:
            if not pausing:
                raise error
            log_not_sent(error)

    def _write(self, step: int, snapshot: Snapshot, best: list[int]) -> None:
        store, schedule = self._store, self._schedule
        store.write(step, snapshot.write)
        store.keep_only(kept_steps(store.steps(), best, schedule))
        if schedule.weights_only:
            for older in store.steps()[: -schedule.keep_last]:
                store.leave_out(older, OPTIMISER_FILE)
        try:
            store.send()
        except ProjectError as error:
            self._not_sent = error
