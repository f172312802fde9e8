"""How layers compute while a function is traced: with the weights of a snapshot, intercepted, or for other formats.

All of this is the state of one thread, and layers ask for it when they are called. It lives in one `ContextVar`, so
that two threads can trace the same layers at once, each in its own way.
"""

from __future__ import annotations

import abc
import collections
import contextlib
import contextvars
import dataclasses
import functools
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from lic.environment import is_compiled_by_xla, keras, tf
from lic.errors import LicError

Interceptor = Callable[..., Any]


@dataclasses.dataclass(frozen=True)
class _Tracing:
    """How this thread traces layers.

    Attributes:
      derived_weights: The cache of `snapshot_weights`, or None outside of it.
      interceptors: The function of `intercept` by the `id` of each layer that it is given, with its path bound.
      plain: Whether `plain_graphs` is active.
      building: Whether `building` is active.
    """

    derived_weights: dict[int, Any] | None = None
    interceptors: Mapping[int, Interceptor] = dataclasses.field(default_factory=dict)
    plain: bool = False
    building: bool = False


_ORDINARY = _Tracing()
_tracing: contextvars.ContextVar[_Tracing] = contextvars.ContextVar("tracing", default=_ORDINARY)


@contextlib.contextmanager
def _changed(**changes: Any) -> Iterator[None]:
    token = _tracing.set(dataclasses.replace(_tracing.get(), **changes))
    try:
        yield
    finally:
        _tracing.reset(token)


# Weights of a snapshot.


class HasDerivedWeights(abc.ABC):
    """A layer that computes with tensors derived from its weights, such as a kernel from its Fourier transform.

    They are derived anew in every call, or once within `snapshot_weights`.
    """

    @abc.abstractmethod
    def derive(self) -> Any:
        """Derives from the current weights a tensor, or a nested structure of tensors."""

    def derived(self) -> Any:
        """Returns the result of `derive`, within `snapshot_weights` that of the first call."""
        cache = _tracing.get().derived_weights
        if cache is None:
            return self.derive()
        if id(self) not in cache:
            with tf.init_scope():  # The cache holds numbers, not operations of the graph that is being traced.
                cache[id(self)] = self.derive()
        return cache[id(self)]


@contextlib.contextmanager
def snapshot_weights(cache: dict[int, Any]) -> Iterator[None]:
    """Makes layers derive tensors from their weights once, so that a function traced within holds them as constants.

    Args:
      cache: The derived tensors by the `id` of each layer, to which missing ones are added. All functions of a snapshot
        share one cache.
    """
    with _changed(derived_weights=cache):
        yield


def snapshot_function(function: Callable, signature: Sequence[tf.TensorSpec] | None = None, **options: Any) -> Any:
    """Returns the `tf.function` of one snapshot, which is traced for the constants of this snapshot.

    TensorFlow warns of code that is traced again and again. A further snapshot is no such case, so each is counted
    alone.

    Args:
      function: The function, such as a method of the snapshot.
      signature: The types and shapes of its arguments.
      **options: Further arguments of `tf.function`.
    """
    # TensorFlow counts traces by the code of a function. A partial has none, and is counted itself.
    return tf.function(functools.partial(outside_xla(function)), signature, autograph=False, **options)


def outside_xla(function: Callable) -> Callable:
    """Returns a function whose operations XLA leaves out of the clusters that it forms by itself.

    TF_XLA_FLAGS=--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit makes TensorFlow compile whatever seems worth it. Sums are
    then rounded in another way, which differs from graph to graph, so that a decoder may compute other scales than the
    encoder did. Where a size depends on data, as in a loop over chunks, compiled code fails. The bodies of loops and
    branches, and functions that are called inside, need this again. `jit_compile=True` compiles them nevertheless.

    To mark operations takes a fifth of the time of tracing. So they are marked only where XLA may form clusters, and
    `check_clusters` finds out if that is changed later.
    """

    def outside(*args: Any, **kwargs: Any) -> Any:
        if tf.executing_eagerly():
            return function(*args, **kwargs)
        if not (os.environ.get("TF_XLA_FLAGS") or tf.config.optimizer.get_jit()):
            _unmarked.set()
            return function(*args, **kwargs)
        with tf.xla.experimental.jit_scope(compile_ops=False):
            return function(*args, **kwargs)

    return outside


_unmarked = threading.Event()  # Set once a function was traced whose operations XLA would take into its clusters.


def check_clusters() -> None:
    """Raises a LicError if XLA was told to form clusters after functions had been traced without regard to that."""
    if _unmarked.is_set() and tf.config.optimizer.get_jit():
        raise LicError(
            "tf.config.optimizer.set_jit was called after lic had traced functions, which XLA would now round in "
            "another way, so that streams would decode nowhere else. Call it before lic computes anything, or turn it "
            "off by set_jit(False)."
        )


_process: int | None = None  # The process in which lic first made a layer.


def check_process() -> None:
    """Raises a LicError in a process that was forked from one that had made layers: TensorFlow would wait for ever."""
    global _process
    _process = _process or os.getpid()
    if _process != os.getpid():
        raise LicError(
            "This process was forked from one that had made layers of lic, and TensorFlow's threads do not come along. "
            "Start processes by multiprocessing's 'spawn', which models and codecs may be handed to."
        )


def refuse_xla(name: str) -> None:
    """Raises a ValueError if what is being traced is compiled by XLA, which has no such operations, or crashes.

    Args:
      name: The layer or part, in words.
    """
    if is_compiled_by_xla():
        raise ValueError(f"{name} cannot be compiled by XLA. Leave out jit_compile=True, or pass jit_compile=False.")


# Interception of calls.


class Interceptable:
    """Base of layers that `intercept` reaches without changing them; it comes before Keras's class among bases."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the layer, through the interceptor of this thread if there is one."""
        return _call(self, super().__call__, *args, **kwargs)


@contextlib.contextmanager
def intercept(layers: Mapping[str, keras.layers.Layer], function: Interceptor) -> Iterator[None]:
    """Makes calls of layers go through a function, in this thread alone.

    Within another `intercept` only the inner one is active.

    An `Interceptable` layer looks up its interceptor when it is called. For layers of other classes Keras has no hook,
    and the name scopes that it opens around calls are ambiguous: two layers may have the same name, and Keras 3 gives a
    repeated call of `dense` the scope `dense_1`, which may be the name of another layer. So these layers have an
    attribute `call` while a thread intercepts them, which Keras finds before the method of the class. It looks up the
    interceptor of the thread that calls, so that the results in other threads do not change.

    Args:
      layers: The layers by path.
      function: Receives the path and the layer, then a function that computes the layer's own result, and then the
        arguments of the call. Its result takes the place of the layer's.
    """
    interceptors = {id(layer): functools.partial(function, path, layer) for path, layer in layers.items()}
    others = [layer for layer in layers.values() if not isinstance(layer, Interceptable)]
    with _hooks_on(others), _changed(interceptors=interceptors):
        yield


def _call(layer: keras.layers.Layer, own_call: Callable, *args: Any, **kwargs: Any) -> Any:
    interceptor = _tracing.get().interceptors.get(id(layer))
    return interceptor(own_call, *args, **kwargs) if interceptor else own_call(*args, **kwargs)


_hooks: collections.Counter[int] = collections.Counter()  # The number of active hooks by the `id` of each layer.
_hooks_lock = threading.Lock()


@contextlib.contextmanager
def _hooks_on(layers: Iterable[keras.layers.Layer]) -> Iterator[None]:
    """Gives layers the attribute `call` that `intercept` describes, until the last thread leaves."""
    layers = list({id(layer): layer for layer in layers}.values())
    with _hooks_lock:
        for layer in layers:
            if not _hooks[id(layer)]:
                # Keras tracks attributes that are set, but not entries of `vars`.
                vars(layer)["call"] = functools.wraps(layer.call)(functools.partial(_call, layer, layer.call))
            _hooks[id(layer)] += 1
    try:
        yield
    finally:
        with _hooks_lock:
            for layer in layers:
                _hooks[id(layer)] -= 1
                if not _hooks[id(layer)]:
                    del _hooks[id(layer)], vars(layer)["call"]


# Making weights.


@contextlib.contextmanager
def building() -> Iterator[None]:
    """States that a call is under way in which all layers inside make their weights."""
    with _changed(building=True):
        yield


def is_building() -> bool:
    """Returns whether `building` is active."""
    return _tracing.get().building


# Graphs for other formats.


@contextlib.contextmanager
def plain_graphs() -> Iterator[None]:
    """Makes layers trace plain graphs for other formats: no loops, branches, functions and empty tensors."""
    with _changed(plain=True):
        yield


def is_plain() -> bool:
    """Returns whether `plain_graphs` is active."""
    return _tracing.get().plain
