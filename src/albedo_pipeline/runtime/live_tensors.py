"""Memory of the tensors that exist, counted as torch makes and frees them."""

import weakref
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class LiveTensors(TorchDispatchMode):
    """Counts the bytes of all tensors that operations return, as long as they exist.

    It counts fake tensors as well, if it is entered after their mode. Memory that a kernel takes
    for itself is not seen.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        """Bytes of the tensors that exist now."""
        self.peak = 0
        """Largest value of `now` so far; may be set back."""
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple | list) else (result,):
            if isinstance(tensor, torch.Tensor):
                self._count(tensor.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:  # a view
            return
        self._known.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size
