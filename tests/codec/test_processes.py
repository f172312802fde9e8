"""Codecs in threads and processes."""

import concurrent.futures
import copy
import multiprocessing
import pickle

import numpy as np
import pytest

import lic
from tests.conftest import random_images, shared_codec, tiny_model

IMAGES = [random_images(20 + number, 33, 3, seed=number) for number in range(8)]


@pytest.fixture
def codecs():
    return [shared_codec("klt", name) for name in ("hyperprior", "checkerboard")]


def test_eight_threads_give_the_results_of_one(codecs):
    streams = [codecs[0].compress(image) for image in IMAGES]
    decoded = [codecs[0].decompress(stream) for stream in streams]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            assert list(pool.map(codecs[0].compress, IMAGES)) == streams
            for one, other in zip(pool.map(codecs[0].decompress, streams), decoded, strict=True):
                np.testing.assert_array_equal(one, other)


def test_threads_that_start_together_trace_once(codecs):
    codec = lic.Codec(codecs[1].model)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        streams = list(pool.map(codec.compress, IMAGES))
    assert streams == [codecs[1].compress(image) for image in IMAGES]


def test_two_codecs_do_not_disturb_each_other(codecs):
    alone = [[codec.compress(image) for image in IMAGES] for codec in codecs]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        tasks = [(number % 2, image) for image in IMAGES for number in range(2)]
        together = list(pool.map(lambda task: codecs[task[0]].compress(task[1]), tasks))
    assert together[0::2] == alone[0]
    assert together[1::2] == alone[1]


def _decode_as_loaded(path, stream):
    return lic.load(path).decompress(stream)


def test_spawned_processes_give_the_same_streams(codecs, tmp_path):
    stream = codecs[0].compress(IMAGES[0])
    codecs[0].save(tmp_path / "mine.codec")
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(codecs[0].compress, IMAGES[0]).result(120) == stream
        decoded = pool.submit(_decode_as_loaded, tmp_path / "mine.codec", stream).result(120)
    np.testing.assert_array_equal(decoded, codecs[0].decompress(stream))


class NamedCodec(lic.Codec):
    def __init__(self, model, name):
        self.before = name.upper()
        super().__init__(model)
        self.name = name


COPIES = [copy.copy, copy.deepcopy, lambda codec: pickle.loads(pickle.dumps(codec))]


@pytest.mark.parametrize("copied", COPIES)
def test_copies_keep_precision_and_tile(codecs, copied):
    other = copied(lic.Codec(codecs[0].model, precision="bfloat16", tile=64))
    assert (other.precision, other.tile) == ("bfloat16", 64)


@pytest.mark.parametrize("copied", COPIES)
def test_copies_keep_what_a_subclass_added(codecs, copied):
    codec = NamedCodec(codecs[0].model, "mine")
    assert codec.parts  # It is kept once it is asked for.
    other = copied(codec)
    assert other.parts == codec.parts
    assert type(other) is NamedCodec
    assert (other.name, other.before) == ("mine", "MINE")
    assert other.model is not codec.model
    assert other.compress(IMAGES[0]) == codecs[0].compress(IMAGES[0])


def _call_in_a_fork(pipe, call):
    try:
        pipe.send(call())
    except lic.LicError as error:
        pipe.send(str(error))


@pytest.mark.parametrize(
    "call",
    [
        "the codec of before",
        "a codec that is loaded",
        "a model that is made",
        "a model whose layers make weights at once",
        "a copy",
        "the model of before",
        "a layer",
    ],
)
def test_a_forked_process_is_refused(codecs, tmp_path, call):
    codecs[0].compress(IMAGES[0])  # From now on TensorFlow has threads, which a fork does not have.
    codecs[0].save(tmp_path / "a.codec")
    calls = {
        "the codec of before": lambda: codecs[0].compress(IMAGES[0]),
        "a codec that is loaded": lambda: lic.load(tmp_path / "a.codec").compress(IMAGES[0]),
        "a model that is made": lambda: tiny_model("klt", "factorized").count_params(),
        "a model whose layers make weights at once": lambda: tiny_model("swin", "hyperprior").count_params(),
        "a copy": lambda: copy.deepcopy(codecs[0].model).count_params(),
        "the model of before": lambda: float(codecs[0].model.losses_of(np.zeros((1, 64, 64, 3)))["loss"][0]),
        "a layer": lambda: lic.layers.Convolution(8, 3)(np.zeros((1, 8, 8, 3), np.float32)).shape,
    }
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_call_in_a_fork, args=(theirs, calls[call]))
    process.start()
    try:
        assert ours.poll(60), "the forked process hangs"
        assert "This process was forked from one that had made layers of lic" in ours.recv()
    finally:
        process.kill()
