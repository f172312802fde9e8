"""What a model says to what are no images, in every way that Keras is given them."""

import numpy as np
import pytest
from PIL import Image

import lic
from lic.environment import keras, tf
from lic.models.given_images import check_data, check_images, checked_images
from tests.conftest import tiny_model

IMAGES = np.zeros((4, 64, 64, 3), np.float32)
EXPECTED = r"expected images \[batch, height, width, 3\] on 0..255. Received: "
WRONG = {
    "a list of numbers": ([1, 2], "list"),
    "a list of images": (list(IMAGES), "list"),
    "a nested list": (IMAGES[:1, :1, :1].tolist(), "list"),
    "a path": ("a.png", "the path 'a.png'"),
    "bytes": (b"a", "bytes"),
    "a number": (1, "int"),
    "nothing": (None, "NoneType"),
    "a dict": ({"image": IMAGES}, "dict"),
    "a dataset": (tf.data.Dataset.from_tensors(IMAGES), r"\w*Dataset"),
    "an image of Pillow": (Image.new("RGB", (64, 64)), "Image"),
    "one image": (IMAGES[0], r"the shape \(64, 64, 3\)"),
    "grey": (IMAGES[..., :1], r"the shape \(4, 64, 64, 1\)"),
    "channels first": (IMAGES.transpose(0, 3, 1, 2), r"the shape \(4, 3, 64, 64\)"),
    "no image": (IMAGES[:0], r"no pixels, in the shape \(0, 64, 64, 3\)"),
    "no rows": (IMAGES[:, :0], r"no pixels, in the shape \(4, 0, 64, 3\)"),
    "strings": (np.full((1, 2, 2, 3), "a"), "numbers of the type string"),
    "complex numbers": (IMAGES.astype(np.complex64), "numbers of the type complex64"),
    "objects": (
        np.full((1, 2, 2, 3), None),
        "(ndarray|numbers) of the type (object|variant|string)|numbers of the type resource|ndarray",
    ),
    "ragged": (tf.ragged.constant([[1.0], [1.0, 2.0]]), "RaggedTensor"),
    "sparse": (tf.sparse.from_dense(IMAGES), "SparseTensor"),
}


@pytest.fixture(scope="module")
def model():
    model = tiny_model("klt", "factorized")
    model.compile(lic.Adam(), seed=0)
    model.fit(IMAGES, verbose=0)
    model.evaluate(IMAGES, verbose=0)
    model.predict(IMAGES, verbose=0)
    return model


@pytest.mark.parametrize("name", WRONG)
def test_a_call_is_refused_with_what_was_received(model, name):
    wrong, received = WRONG[name]
    for call in (model, model.losses_of):
        with pytest.raises(ValueError, match=EXPECTED + received) as caught:
            call(wrong)
        assert "Pass one image as image[None], several as np.stack(images)" in str(caught.value)


@pytest.mark.parametrize("name", [name for name in WRONG if name not in ("a dataset", "an image of Pillow")])
@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_data_are_refused_with_what_was_received(model, method, name):
    wrong, received = WRONG[name]
    with pytest.raises(ValueError, match=f"{method}: {EXPECTED}{received}"):
        getattr(model, method)(wrong, verbose=0)


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
@pytest.mark.parametrize(
    ("dataset", "received"),
    [
        (lambda: tf.data.Dataset.from_tensor_slices(IMAGES), r"the shape \(64, 64, 3\)"),
        (lambda: tf.data.Dataset.from_tensor_slices((IMAGES, np.zeros(4))), r"the shape \(64, 64, 3\)"),
        (lambda: tf.data.Dataset.from_tensor_slices({"image": IMAGES}).batch(2), "dict"),
        (lambda: tf.data.Dataset.from_tensors(IMAGES[..., 0]), r"the shape \(4, 64, 64\)"),
    ],
)
def test_datasets_are_refused_before_they_are_read(model, method, dataset, received):
    """After a good `fit` too, whose graphs Keras would go on with."""
    with pytest.raises(ValueError, match=f"{method}: {EXPECTED}{received}.*batch a dataset"):
        getattr(model, method)(dataset(), verbose=0)


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_empty_datasets_are_refused(model, method):
    with pytest.raises(ValueError, match=f"{method}: expected a dataset of images. Received: an empty one"):
        getattr(model, method)(tf.data.Dataset.from_tensors(IMAGES).take(0), verbose=0)


def test_validation_data_are_refused(model):
    with pytest.raises(ValueError, match=EXPECTED + r"the shape \(64, 64, 3\)"):
        model.fit(IMAGES, validation_data=tf.data.Dataset.from_tensor_slices(IMAGES), verbose=0)


def test_what_is_right_passes(model):
    for images in (IMAGES.astype(np.uint8), tf.constant(IMAGES), tf.Variable(IMAGES), IMAGES.astype(np.float64)):
        assert model(images).x_hat.shape == (4, 64, 64, 3)
    assert tiny_model("klt", "hyperprior")(keras.Input((64, 64, 3))).x_hat.shape[-1] == 3
    for data in (tf.data.Dataset.from_tensors(IMAGES), tf.data.Dataset.from_tensors((IMAGES, np.zeros(4)))):
        check_data("fit", data, 3)
    check_images(tf.TensorSpec(None), 3)  # Of unknown rank, which is checked when it is computed.
    assert checked_images(IMAGES[:1].astype(np.uint16), 3).dtype == tf.float32
