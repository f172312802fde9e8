"""Work on many items by the processes of a Ray cluster."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from lic.errors import LicError

_log = logging.getLogger(__name__)
_RETRIES = 2  # Times that Ray gives a batch to another worker after one has died.
_MOST = 8  # Largest number of items in a batch.
LOCAL = "local"

Item = TypeVar("Item")


def on_cluster(
    work: Callable[[Item], Any], items: Sequence[Item], address: str = LOCAL, *, workers: int | None = None
) -> Iterator[tuple[Item, Any]]:
    """Yields each item with its outcome, in the order in which they are done.

    Items go in batches to workers, each with a copy of `work` of its own, unpickled once. Another worker repeats the
    batch of one that died.

    Args:
      work: Does one item; the function and all that it refers to are pickled.
      items: The items, which are pickled too. All machines must see the files that they name under the same paths.
      address: Address of a Ray cluster, such as "auto" or "ray://host:10001", or "local" for one on this machine.
      workers: Number of workers; default: one for each core of the cluster.

    Returns:
      An iterator of pairs: the item, and the result of `work` or the error of `work` or of its worker.

    Raises:
      LicError: Ray is not installed, or there is no cluster at this address.
    """
    ray = _ray()
    if not items:
        return
    with _connected(ray, address):
        count = min(workers or int(ray.cluster_resources().get("CPU", 1)), len(items))
        actor = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=_RETRIES)(_Worker)
        shared = ray.put(work)
        yield from _spread(ray, items, [actor.remote(shared) for _ in range(count)])


def _spread(ray: Any, items: Sequence[Item], idle: list[Any]) -> Iterator[tuple[Item, Any]]:
    """Gives batches to idle workers; the items of a batch whose workers all died are tried one by one."""
    size = min(_MOST, math.ceil(len(items) / (2 * max(len(idle), 1))))
    waiting = [items[start : start + size] for start in range(0, len(items), size)][::-1]
    running: dict[Any, tuple[Any, Sequence[Item]]] = {}
    while waiting or running:
        while idle and waiting:
            worker, batch = idle.pop(), waiting.pop()
            running[worker.do.remote(batch)] = worker, batch
        (done,), _ = ray.wait(list(running), num_returns=1)
        worker, batch = running.pop(done)
        idle.append(worker)
        try:
            yield from zip(batch, ray.get(done))
        except ray.exceptions.RayError as error:
            _log.warning("a worker ended with %s: %s", type(error).__name__, error)
            if len(batch) == 1:
                cause = f"{type(error).__name__}: {error}".splitlines()[0]
                died = f"{1 + _RETRIES} workers died at this item, perhaps for want of memory ({cause})."
                yield batch[0], LicError(died)
            else:
                waiting += [[item] for item in batch]


class _Worker:
    """A worker process."""

    def __init__(self, work: Callable[[Any], Any]):
        self._work = work

    def do(self, batch: Sequence[Any]) -> list[Any]:
        """Does items, and returns a result or an error for each."""
        return [self._one(item) for item in batch]

    def _one(self, item: Any) -> Any:
        try:
            return self._work(item)
        except Exception as error:  # An error of one item must not end the others.
            return error


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise LicError(
            "Ray is not installed. Install it, pip install 'keras-lic[ray]', or work without a cluster."
        ) from None
    return ray


@contextlib.contextmanager
def _connected(ray: Any, address: str) -> Iterator[None]:
    if ray.is_initialized():
        yield
        return
    local = {"include_dashboard": False, "object_store_memory": 256 << 20} if address == LOCAL else {}
    # Each worker has one core, on which several threads would only wait for each other.
    threads = {f"TF_NUM_{kind}OP_THREADS": "1" for kind in ("INTRA", "INTER")} | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        ray.init(
            address=address, log_to_driver=False, logging_level="ERROR", runtime_env={"env_vars": threads}, **local
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise LicError(
            f"There is no Ray cluster at {address!r} ({error}). Start one with `ray start --head`."
        ) from error
    try:
        yield
    finally:
        ray.shutdown()
