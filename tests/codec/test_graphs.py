import gc
import weakref

import numpy as np
import pytest

import lic
from lic.codec.graphs import Graphs
from lic.environment import tf
from lic.layers import chunks
from tests.conftest import ALL_MIXES, random_images, shallow, slow_but, tiny_model


@pytest.fixture(scope="module")
def graphs():
    model = tiny_model("klt", "charm", lmbda=(0.002, 0.02))
    return Graphs(model, model.entropy.make_tables())


def test_decoding_undoes_encoding_at_every_size(graphs):
    for height, width in ((64, 64), (128, 64)):
        latent = graphs.analyse(random_images(height, width, 3).astype(np.float32))
        encoded = graphs.encode(latent, 2.0)
        y_hat, symbols, cdfs = graphs.decode(encoded.string, *latent.shape[:2], 2.0)
        np.testing.assert_array_equal(symbols, encoded.symbols)
        assert graphs.synthesise(y_hat).shape == (height, width, 3)
        np.testing.assert_array_equal(cdfs.index, encoded.cdfs.index)


def test_each_function_is_traced_once(graphs):
    for height in (64, 128, 192):
        latent = graphs.analyse(random_images(height, 64, 3).astype(np.float32))
        graphs.encode(latent, 1.0)
    for function in (graphs.analyse, graphs.encode):
        assert function.experimental_get_tracing_count() == 1


def test_graphs_of_further_snapshots_are_no_retracing(graphs, caplog):
    latent, tables = tf.zeros((4, 4, graphs._model.transform.depth)), graphs._tables
    for _ in range(6):
        Graphs(graphs._model, tables).synthesise(latent)
    assert "retracing" not in caplog.text


def test_a_preview_of_all_parts_is_the_decoded_latent(graphs):
    latent = graphs.analyse(random_images(64, 64, 3).astype(np.float32))
    coded = graphs.encode(latent, 1.0).string, *latent.shape[:2], 1.0
    whole, some = graphs.decode(*coded)[0], graphs.preview(2)(*coded)[0]
    np.testing.assert_array_equal(graphs.preview(99)(*coded)[0], whole)
    assert not np.array_equal(some, whole)


def test_previews_of_as_many_parts_are_one_function(graphs):
    assert graphs.preview(1) is graphs.preview(1)
    assert graphs.preview(1) is not graphs.preview(2)


@pytest.mark.parametrize(("transform", "entropy"), slow_but(ALL_MIXES, ("conv", "charm"), ("klt", "checkerboard")))
def test_graphs_that_nobody_uses_are_freed(transform, entropy):
    model = tiny_model(transform, entropy, lmbda=(0.002, 0.02), **shallow(transform, entropy))
    graphs = Graphs(model, model.entropy.make_tables())
    names = "analyse", "encode", "decode", "synthesise"
    traced = {name: weakref.ref(getattr(graphs, name).get_concrete_function().graph) for name in names}
    gc.collect()
    assert all(graph() for graph in traced.values())
    del graphs
    gc.collect()
    assert [name for name, graph in traced.items() if graph()] == []


# What begins and ends a function computes nothing, nor does a loop's condition.
NOTHING = {"Placeholder", "Identity", "Const", "NoOp", "_Arg", "_Retval"}


@pytest.mark.parametrize(
    ("transform", "entropy"), [("klt", "checkerboard"), ("swin", "charm"), ("klt", "autoregressive")]
)
def test_xla_leaves_all_operations_out_of_its_clusters(transform, entropy, monkeypatch):
    monkeypatch.setenv("TF_XLA_FLAGS", "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit")
    chunks._compiled.cache_clear()  # Functions that were traced before the variable was there.
    model = tiny_model(transform, entropy)
    graphs = Graphs(model, model.entropy.make_tables())
    graphs.encode(graphs.analyse(np.zeros((64, 64, 3), np.float32)), 1.0)
    for function in (graphs.analyse, graphs.encode, graphs.decode, graphs.synthesise):
        definition = function.get_concrete_function().graph.as_graph_def()
        inside = [each for each in definition.library.function if "while_cond" not in each.signature.name]
        nodes = [*definition.node, *(node for each in inside for node in each.node_def)]
        computing = [node for node in nodes if node.op not in NOTHING]
        left = [node for node in computing if not ("_XlaCompile" in node.attr and not node.attr["_XlaCompile"].b)]
        assert len(computing) > 9
        # Loops count their steps, and the other branch of an attention's mask adds an axis.
        assert {node.op for node in left} <= {"AddV2", "Less", "StridedSlice"}


def test_clusters_that_are_asked_for_later_are_refused():
    codec, image = lic.Codec(tiny_model("klt", "factorized")), np.zeros((16, 16, 3), np.uint8)
    stream = codec.compress(image)
    tf.config.optimizer.set_jit("autoclustering")
    try:
        with pytest.raises(lic.LicError, match="set_jit was called after lic had traced functions"):
            codec.compress(image)
    finally:
        tf.config.optimizer.set_jit(False)
    assert codec.compress(image) == stream
