import threading

from lic.complexity import Complexity, PartComplexity, PartScopes, count, count_graph
from lic.environment import keras, tf
from lic.layers import GDN, PatchMerging, SwinStage
from lic.layers.tracing import snapshot_weights
from tests.complexity.test_interpreter import counted


def test_gdn_is_a_product_at_each_position():
    assert counted(GDN(), [1, 5, 7, 6]) == 5 * 7 * 6 * 6


def test_swin_stage_by_hand():
    width, out, window = 8, 12, 4
    stage = SwinStage(width, 2, PatchMerging(width, out), window, head_dim=4)
    # 60x70 tokens are 15x18 windows of 16 tokens, which are more than one chunk; the last windows are not full.
    height, columns, windows, size = 60, 70, 15 * 18, window**2
    queries_keys_values = 3 * width * width
    scores = size * width  # Each token with each token of its window, over all heads.
    sums = size * width
    projection = width * width
    perceptron = 2 * (4 * width * width)
    block = windows * size * (queries_keys_values + scores + sums + projection + perceptron)
    merging = (height // 2) * (columns // 2) * (4 * width) * out
    with snapshot_weights({}):
        assert counted(stage, [1, height, columns, width]) == 2 * block + merging


def test_complexity_is_plain_data():
    rows = PartComplexity("a", 2, 30, 0), PartComplexity("b", 3, 10, 60)
    complexity = Complexity(4, 5, rows)
    assert complexity.total == PartComplexity("total", 5, 40, 60)
    assert complexity.total_per_pixel == PartComplexity("total", 5, 2, 3)
    assert complexity.per_pixel == (PartComplexity("a", 2, 1.5, 0), PartComplexity("b", 3, 0.5, 3))


def test_a_graph_of_unknown_size_is_counted_at_any_size():
    matrix = tf.ones((3, 5))
    spec = tf.TensorSpec((None, 3))
    graph = tf.function(lambda values: tf.matmul(values, matrix)).get_concrete_function(spec).graph
    assert [count_graph(graph, [rows, 3]).total() for rows in (2, 7)] == [2 * 3 * 5, 7 * 3 * 5]


def test_any_callable_is_counted_in_parts():
    layers = {"first": keras.layers.Dense(4), "second": keras.layers.Dense(5, name="dense")}
    scopes = PartScopes()

    def compute(values):
        with scopes.scope("rest"):
            inner = layers["second"](layers["first"](values))
            return layers["second"](inner[:, :4]) + tf.matmul(inner, tf.ones((5, 5)))

    compute(tf.zeros((1, 3)))
    with scopes.scopes_of(layers, lambda path: f"the {path}"):
        counts = count(compute, [7, 3], label_of=scopes.part_of)
    assert counts == {"the first": 7 * 3 * 4, "the second": 2 * 7 * 4 * 5, "rest": 7 * 5 * 5}


def test_another_thread_traces_the_same_layers_without_scopes():
    dense, names = keras.layers.Dense(4), []
    dense(tf.zeros((1, 3)))

    def trace():
        graph = tf.function(dense).get_concrete_function(tf.TensorSpec((1, 3))).graph
        names.extend(operation.name for operation in graph.get_operations())

    with PartScopes().scopes_of({"dense": dense}, str):
        thread = threading.Thread(target=trace)
        thread.start()
        thread.join()
        assert not any("lic.part" in name for name in names)
        trace()
        assert any("lic.part" in name for name in names)
