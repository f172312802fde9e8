"""A model behaves as Keras's own under saving, loading, copying, counting, training, evaluating and predicting."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import lic
from lic.environment import KERAS_3, keras, tf
from tests.conftest import random_images, tiny_model

LMBDAS = (0.002, 0.02)


@pytest.fixture(scope="module")
def images():
    return random_images(5, 32, 48, 3).astype(np.float32)


def fresh(**sizes):
    return tiny_model("klt", "checkerboard", **{"lmbda": LMBDAS} | sizes)


@pytest.fixture(scope="module")
def trained(images):
    """A model after one step, which no test changes."""
    keras.utils.set_random_seed(1)
    model = fresh()
    model.compile(lic.Adam(1e-3), seed=3)
    model.fit(images[:2], verbose=0)
    return model


def assert_same_weights(one, other):
    assert len(one.weights) == len(other.weights) > 0
    for first, second in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_all_variables_are_there_from_the_start(trained):
    assert fresh().count_params() == trained.count_params()
    assert len(fresh().get_weights()) == len(trained.get_weights())


def test_weights_files_are_loaded_before_the_first_call(trained, tmp_path):
    trained.save_weights(tmp_path / "x.weights.h5")
    again = fresh()
    again.load_weights(tmp_path / "x.weights.h5")
    assert_same_weights(again, trained)


def test_weights_of_another_width_are_refused(trained, tmp_path):
    trained.save_weights(tmp_path / "x.weights.h5")
    with pytest.raises(ValueError, match=r"[Ss]hape|could not be loaded"):
        fresh(width=6).load_weights(tmp_path / "x.weights.h5")


def test_checkpoints_are_restored_before_the_first_call(trained, tmp_path):
    path = tf.train.Checkpoint(model=trained, optimizer=trained.optimizer).save(tmp_path / "x")
    again = fresh()
    again.compile(lic.Adam(1e-3))
    tf.train.Checkpoint(model=again, optimizer=again.optimizer).restore(path).assert_consumed()
    assert_same_weights(again, trained)
    assert int(again.optimizer.iterations) == int(trained.optimizer.iterations)


def test_a_keras_file_holds_all_and_training_goes_on(trained, images, tmp_path):
    trained.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    assert type(again) is lic.CompressionModel
    assert again.name == trained.name
    assert again.configuration() == trained.configuration()
    assert_same_weights(again, trained)
    other = pickle.loads(pickle.dumps(again))
    for model in (again, other):
        model.run_eagerly = True  # Tracing takes longer than a step.
        model.fit(images[2:4], verbose=0)
        assert int(model.optimizer.iterations) == int(trained.optimizer.iterations) + 1
    for one, two in zip(again.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)


def test_model_checkpoint_writes_files_that_load(images, tmp_path):
    model = fresh()
    model.compile(lic.Adam(), run_eagerly=True)
    checkpoint = keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}.keras"))
    model.fit(images[:1], callbacks=[checkpoint], verbose=0)
    assert_same_weights(keras.models.load_model(tmp_path / "1.keras"), model)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda part: pickle.loads(pickle.dumps(part))])
def test_parts_of_a_model_are_copied_alone(copied):
    model = tiny_model("conv", "checkerboard", lmbda=(0.002, 0.02))
    for part in (model.transform, model.transform.analysis, model.entropy, model.entropy.hyper, model.rate):
        again = copied(part)
        assert type(again) is type(part)
        assert len(again.weights) == len(part.weights)
        for mine, other in zip(part.weights, again.weights):
            assert mine is not other
            np.testing.assert_array_equal(np.asarray(mine), np.asarray(other))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_are_equal_and_independent(trained, images, copied):
    again = copied(trained)
    assert_same_weights(again, trained)
    before = trained.get_weights()
    again.set_weights([values + 1 for values in before])
    for one, two in zip(trained.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_model_that_was_never_compiled_is_copied(copied):
    model = fresh()
    again = copied(model)
    assert_same_weights(again, model)
    assert not getattr(again, "optimizer", None)


def test_every_layer_comes_back_from_its_configuration():
    for layer in tiny_model("conv", "checkerboard")._flatten_layers():
        if type(layer).__module__.startswith("lic.layers"):
            assert type(type(layer).from_config(layer.get_config())) is type(layer)


def test_training_refuses_what_a_call_refuses(images):
    model = fresh()
    model.compile(keras.optimizers.Adam())
    model.fit(images[:1], verbose=0)
    for wrong in (images[:1, ..., :1], np.moveaxis(images[:1], -1, 1)):
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=r"expected (images|shape) .*3\]"):
            model.fit(wrong, verbose=0)
    with pytest.raises(ValueError, match=r"expected images \[batch, height, width, 3\]"):
        model.fit(tf.data.Dataset.from_tensors({"image": images[:1]}), verbose=0)


def test_validation_data_may_be_an_array(images):
    model = fresh()
    model.compile(lic.Adam(), run_eagerly=True)
    history = model.fit(images[:1], validation_data=images[:2], verbose=0).history
    assert history["val_bpp"][0] > 0


def test_a_clone_has_the_configuration_and_fresh_weights(trained):
    clone = keras.models.clone_model(trained)
    assert clone.configuration() == trained.configuration()
    assert any(np.any(one != two) for one, two in zip(clone.get_weights(), trained.get_weights(), strict=True))


def test_frozen_parts_stay_frozen(trained, images):
    model = fresh()
    model.transform.trainable = False
    again = lic.CompressionModel.from_config(model.get_config())
    assert not again.transform.trainable_weights
    assert len(again.trainable_weights) == len(model.trainable_weights) > 0


@pytest.mark.parametrize("batch_size", [1, 2, 4, 5])
def test_every_image_counts_alike_in_evaluate(trained, images, batch_size):
    expected = trained.losses_of(images)
    found = trained.evaluate(images, batch_size=batch_size, verbose=0, return_dict=True)
    assert found == pytest.approx({name: float(np.mean(values)) for name, values in expected.items()}, rel=1e-4)


@pytest.mark.parametrize("entropy", ["factorized", "checkerboard"])
def test_predict_returns_what_a_call_returns(images, entropy):
    model = tiny_model("klt", entropy)
    expected, found = model(images), model.predict(images, batch_size=2, verbose=0)
    assert type(found) is type(expected)
    assert (found.z_hat is None) == (expected.z_hat is None)
    np.testing.assert_allclose(found.x_hat, expected.x_hat, atol=1e-2)
    assert found.bits.keys() == expected.bits.keys()
    for name, bits in expected.bits.items():
        np.testing.assert_allclose(found.bits[name], bits, rtol=1e-3)


def _sum_of_squares(kernel):
    return tf.reduce_sum(kernel**2)


class Heavy(lic.Transform):
    """A transform with a regulariser and an added loss."""

    def __init__(self, latent_depth=12):
        super().__init__(latent_depth, 8)
        self.analysis = keras.layers.Conv2D(
            latent_depth, 8, 8, kernel_regularizer=lambda kernel: tf.reduce_sum(kernel**2)
        )
        self.synthesis = Adds(latent_depth)


class Adds(keras.layers.Layer):
    def __init__(self, latent_depth):
        super().__init__()
        self.up = keras.layers.Conv2DTranspose(3, 8, 8)

    def call(self, values):
        self.add_loss(tf.constant(7.0))
        return self.up(values)


def test_regularisers_and_added_losses_are_in_the_loss(images):
    model = lic.create_model(transform=Heavy(), entropy="factorized", lmbda=0.01)
    expected = 7 + float(np.sum(np.asarray(model.transform.analysis.kernel) ** 2))
    values = model.losses_of(images)
    np.testing.assert_allclose(values["loss"] - values["bpp"] - 0.01 * values["mse"], expected, rtol=1e-3)
    found = tf.function(lambda batch: model.losses_of(batch)["loss"], autograph=False)(images)
    np.testing.assert_allclose(found, values["loss"], rtol=1e-4)
    model.compile(lic.Adam(0.0), run_eagerly=True)
    assert model.evaluate(images, verbose=0, return_dict=True)["loss"] == pytest.approx(np.mean(found), rel=1e-4)


def test_sample_weights_are_factors_of_the_losses(images):
    model = fresh(lmbda=0.01)
    model.compile(lic.Adam(0.0), run_eagerly=True, seed=1)
    weights = np.array([2.0, 0.0], np.float32)
    _, gradients = model.gradients_of(images[:2], weights)
    _, alone = model.gradients_of(images[:2], np.array([1.0, 0.0], np.float32))
    for twice, once in zip(gradients, alone):
        np.testing.assert_allclose(tf.convert_to_tensor(twice), 2 * tf.convert_to_tensor(once), rtol=1e-4, atol=1e-6)
    found = model.evaluate(images[:2], sample_weight=weights, verbose=0, return_dict=True)
    losses = np.asarray(model.losses_of(images[:2])["loss"])
    assert found["loss"] == pytest.approx(float(np.mean(weights * losses)), rel=1e-4)
    column = model.evaluate(images[:2], sample_weight=weights[:, None], verbose=0, return_dict=True)
    assert column["loss"] == pytest.approx(found["loss"], rel=1e-6)
    for wrong in (np.ones((2, 2)), np.ones(3), np.ones((2, 1, 1))):
        with pytest.raises(
            ValueError, match=r"sample weights as a number for each image, \(2,\). Received: the shape \("
        ):
            model.gradients_of(images[:2], wrong)
    of_no_known_rank = tf.data.Dataset.from_tensors((images[:2], np.zeros(2), weights)).map(
        lambda x, y, weight: (x, y, tf.numpy_function(lambda each: each, [weight], tf.float32))
    )
    unknown = model.evaluate(of_no_known_rank, verbose=0, return_dict=True)
    assert unknown["loss"] == pytest.approx(found["loss"], rel=1e-6)


def test_gradients_for_another_optimiser_draw_by_the_step_that_is_given(images):
    model = fresh()
    model.compile(lic.Adam(0.0), run_eagerly=True, seed=1)
    losses = [model.gradients_of(images[:2], step=step)[0]["loss"].numpy() for step in (0, 1, tf.constant(0), None)]
    assert not np.allclose(losses[0], losses[1])
    np.testing.assert_array_equal(losses[0], losses[2])
    np.testing.assert_array_equal(losses[0], losses[3])  # No step has been taken.


class WithDiscriminator(lic.CompressionModel):
    """A model with a network beside its parts, and with an argument that is called `frozen`."""

    def __init__(self, transform, entropy, lmbda=0.01, *, frozen=0, sees_input=True, **kwargs):
        super().__init__(transform, entropy, lmbda, **kwargs)
        layers = [keras.layers.Conv2D(2, 4, 2, "same"), keras.layers.Conv2D(1, 1)]
        self.frozen = frozen
        self.discriminator = keras.Sequential([keras.Input((None, None, 3)), *layers] if sees_input else layers)


def test_a_network_that_a_subclass_adds_makes_its_weights_when_it_is_called(images):
    parts = fresh(lmbda=0.01)
    model = WithDiscriminator(parts.transform, parts.entropy, sees_input=False)
    assert model.discriminator(images).shape == (5, 16, 24, 1)
    assert len(model.discriminator.weights) == 4
    assert len(lic.Codec(model).compress(images[0].astype(np.uint8))) > 20


def test_a_network_with_an_input_that_a_subclass_adds_is_saved_and_copied(images, tmp_path):
    parts = fresh(lmbda=0.01)
    model = WithDiscriminator(parts.transform, parts.entropy, frozen=3)
    model.transform.trainable = False
    model.compile(lic.Adam(1e-4), run_eagerly=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns that the loss does not depend on the discriminator.
        model.fit(images[:1], verbose=0)
    wanted = model.discriminator(images[:1])
    model.save(tmp_path / "x.keras")
    custom = {"WithDiscriminator": WithDiscriminator}
    loaded = keras.models.load_model(tmp_path / "x.keras", custom_objects=custom)
    for again in (loaded, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert (again.frozen, again.transform.trainable) == (3, False)
        np.testing.assert_array_equal(again.discriminator(images[:1]), wanted)


@pytest.mark.parametrize(
    ("factor", "message"), [(1 / 255, "on 0..1, multiply them by 255"), (16, "12 bits, multiply them by 255 / 4095")]
)
def test_images_of_another_scale_are_a_warning(images, factor, message):
    model = fresh(lmbda=0.01)
    model.compile(lic.Adam(0.0), run_eagerly=True)
    calls = {"fit": model.fit, "evaluate": model.evaluate}
    calls["start_scales"] = lambda x, **_: lic.training.start_scales(model, x)
    for name, call in calls.items():
        with pytest.warns(UserWarning, match=f"{name}: expected images on 0..255. Received: .*{message}"):
            call(images[:1] * factor, verbose=0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            call(images[:1], verbose=0)


def test_targets_that_are_other_images_are_a_warning(images):
    model = fresh(lmbda=0.01)
    model.compile(lic.Adam(0.0), run_eagerly=True)
    with pytest.warns(UserWarning, match="fit: expected no targets"):
        model.fit(images[:1], images[1:2], verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(images[:1], np.zeros(1), verbose=0)  # Labels.
        one = images[:1]
        model.fit(one, one, verbose=0)


def test_what_is_frozen_stays_frozen_in_copies(tmp_path):
    model = fresh()
    model.transform.analysis.trainable = model.entropy.context.trainable = False
    model.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    for other in (again, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert not other.transform.analysis.trainable
        assert not other.entropy.context.trainable
        assert len(other.trainable_variables) == len(model.trainable_variables) < len(fresh().trainable_variables)


@pytest.mark.parametrize("argument", ["loss", "loss_weights", "metrics", "weighted_metrics"])
def test_a_loss_or_a_metric_of_keras_is_refused(argument):
    with pytest.raises(ValueError, match=f"compile: expected no {argument}.*Override `distortion_of`"):
        fresh().compile(**{argument: ["mse"]})


def test_scaled_losses_are_refused():
    with pytest.raises(ValueError, match="Received: LossScaleOptimizer.*Set mixed_bfloat16"):
        fresh().compile(keras.mixed_precision.LossScaleOptimizer(keras.optimizers.Adam()))


@pytest.mark.parametrize("policy", ["bfloat16", "float64"])
def test_weights_of_other_types_than_float32_are_refused(policy):
    keras.mixed_precision.set_global_policy(policy)
    try:
        model = fresh()
    finally:
        keras.mixed_precision.set_global_policy("float32")
    with pytest.raises(ValueError, match=f"compile: expected weights of float32.*of {policy}.*Set mixed_bfloat16"):
        model.compile()


def test_a_seed_that_is_no_whole_number_is_refused():
    with pytest.raises(ValueError, match="compile: expected seed to be a whole number or None.*seed='a'"):
        fresh().compile(seed="a")


@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_a_model_that_was_not_compiled_is_refused_without_asking_for_a_loss(images, method):
    with pytest.raises(ValueError, match=rf"{method}: expected a compiled model. Call model.compile\(\) first"):
        getattr(fresh(), method)(images[:2])


@pytest.mark.skipif(KERAS_3, reason="Keras 3 has no legacy optimisers")
def test_legacy_optimisers_train(images):
    model = fresh()
    before = model.get_weights()
    model.compile(keras.optimizers.legacy.Adam(1e-3), run_eagerly=True)
    model.fit(images[:2], verbose=0)
    assert any(np.any(one != two) for one, two in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize(
    ("values", "received"),
    [
        (np.zeros((32, 32, 3), np.float32), r"the shape \(32, 32, 3\)"),
        (np.zeros((1, 32, 32, 1), np.float32), r"the shape \(1, 32, 32, 1\)"),
        (np.zeros((1, 3, 32, 32), np.float32), r"the shape \(1, 3, 32, 32\)"),
        ({"image": np.zeros((1, 32, 32, 3), np.float32)}, "dict"),
    ],
)
def test_images_of_another_form_are_refused(trained, values, received):
    with pytest.raises(
        ValueError, match=rf"expected images \[batch, height, width, 3\] on 0..255. Received: {received}"
    ):
        trained(values)


def test_arguments_of_keras_are_taken_by_position(images):
    model = fresh()
    model.compile(lic.Adam())
    history = model.fit(images, None, 2, 3, 0).history
    assert (len(history["loss"]), int(model.optimizer.iterations)) == (3, 3 * -(-len(images) // 2))
    assert model.evaluate(images, None, 2, 0) == pytest.approx(model.evaluate(images, batch_size=2, verbose=0))


class Interrupts(keras.callbacks.Callback):
    """Ends a validation as Ctrl-C does."""

    def on_test_begin(self, logs=None):
        raise KeyboardInterrupt


def test_a_validation_that_was_interrupted_leaves_nothing_behind(images):
    model = fresh()
    model.compile(lic.Adam(1e-6))
    with pytest.raises(KeyboardInterrupt):
        model.fit(images[:1], validation_data=np.zeros_like(images[:1]), callbacks=[Interrupts()], verbose=0)
    with pytest.raises(ValueError, match="expected images"):
        model.fit(images[:1], validation_data=images[:1, ..., :1], verbose=0)
    history = model.fit(images[:1], validation_data=images[:1], verbose=0).history
    assert history["val_mse"][0] == pytest.approx(model.evaluate(images[:1], return_dict=True, verbose=0)["mse"])


def test_images_on_0_to_1_are_warned_of_once(images):
    model = fresh()
    model.compile(lic.Adam(), run_eagerly=True)
    with pytest.warns(UserWarning, match=r"images on 0..255.*multiply them by 255") as caught:
        model.fit(images / 255, batch_size=2, epochs=2, verbose=0)
    assert len([each for each in caught if "0..255" in str(each.message)]) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(images[:1], verbose=0)
        model.fit(np.zeros_like(images[:1]), verbose=0)


def test_xla_computes_the_same():
    model, images = fresh(), random_images(33, 77, 3)[None].astype(np.float32)
    found = []
    for jit_compile in (False, True):
        model.compile(lic.Adam(), jit_compile=jit_compile)
        found.append(model.evaluate(images, verbose=0))
    np.testing.assert_allclose(*found, rtol=1e-3)


@pytest.mark.parametrize(
    ("transform", "entropy", "refuses"),
    [
        ("swin", "factorized", "SwinBlock"),
        ("klt", "quadtree", "The part 'positions"),
        ("klt", "autoregressive", "coder.serial"),
    ],
)
def test_what_xla_cannot_compile_is_refused(transform, entropy, refuses):
    model = tiny_model(transform, entropy)
    model.compile(lic.Adam(), jit_compile=True)
    with pytest.raises(ValueError, match=rf"{refuses}.* cannot be compiled by XLA. Leave out jit_compile=True"):
        model.evaluate(np.zeros((1, 64, 64, 3), np.float32), verbose=0)
