"""Arguments of the wrong kind: each message names the argument, what was expected, and what was received."""

import copy

import numpy as np
import pytest

import lic
from lic.environment import keras
from lic.errors import CheckpointError, EvaluationError, ImageError, RegistryError, TrainingError
from tests.conftest import random_images, shared_codec, tiny_model

IMAGE = random_images(16, 16, 3)
SMALL = {"steps": 1, "batch": 1, "crop": 16}
WRONG = {
    "a path in place of an image": (
        lambda codec, folder: codec.compress("photo.png"),
        ImageError,
        r"Received: the path 'photo.png'. Read it.*read_image",
    ),
    "bytes as text": (
        lambda codec, folder: codec.compress_to(IMAGE, "2000"),
        ValueError,
        r"max_bytes to be a whole number. Received: max_bytes='2000'",
    ),
    "pixels as text": (
        lambda codec, folder: codec.decompress(codec.compress(IMAGE), max_pixels="big"),
        ValueError,
        r"max_pixels to be a whole number",
    ),
    "nothing to load": (
        lambda codec, folder: lic.load(None),
        ValueError,
        r"load: expected name_or_path .*Received: NoneType",
    ),
    "a folder to load": (
        lambda codec, folder: lic.load(folder),
        CheckpointError,
        r"is a folder, expected a codec file.*codec_of_run",
    ),
    "a misspelt option": (
        lambda codec, folder: lic.load("default", precison="float32"),
        TypeError,
        r"load\(\).*precison",
    ),
    "a codec of a codec": (lambda codec, folder: lic.Codec(codec), ValueError, r"Received: Codec. .*codec.model"),
    "a folder that is not there": (
        lambda codec, folder: codec.save(folder / "no" / "mine.codec"),
        FileNotFoundError,
        r"no'$",
    ),
    "a path in place of a stream": (
        lambda codec, folder: lic.codec.Stream.parse("photo.lic"),
        ValueError,
        r"Expected a stream as bytes. Received: str",
    ),
    "an array in place of a file": (
        lambda codec, folder: lic.images.read_image(IMAGE),
        ImageError,
        r"expected a path or an open binary file. Received: ndarray",
    ),
    "real numbers to write": (
        lambda codec, folder: lic.images.write_image(folder / "a.png", IMAGE / 2),
        ImageError,
        r"uint8.*Received: float64",
    ),
    "a setting as text": (
        lambda codec, folder: lic.TrainingSettings(crop="big"),
        ValueError,
        r"TrainingSettings: expected crop to be a whole number. Received: crop='big'",
    ),
    "a file in place of a run": (
        lambda codec, folder: lic.train(codec, folder, folder / "a.png", lic.TrainingSettings(**SMALL)),
        TrainingError,
        r"cannot be made: a file has its name",
    ),
    "one callback": (
        lambda codec, folder: lic.train(codec, folder, folder / "RUN", callbacks=print),
        TrainingError,
        r"expected callbacks as a list",
    ),
    "one model": (
        lambda codec, folder: lic.evaluate(folder, folder / "OUT", models="default"),
        EvaluationError,
        r"expected models to be a list. Received: 'default'",
    ),
    "a file in place of results": (
        lambda codec, folder: lic.evaluate(folder, folder / "a.png", codecs=["jpeg"]),
        EvaluationError,
        r"cannot be made: a file has its name",
    ),
    "no images": (
        lambda codec, folder: lic.evaluate(folder / "no", folder / "OUT", codecs=["jpeg"]),
        ImageError,
        r"There is no folder or image .*Give a folder",
    ),
    "a list of tensors": (
        lambda codec, folder: lic.weights.set_tensors(keras.layers.Dense(1), [1]),
        ValueError,
        r"expected tensors to be a dict of arrays.*Received: list",
    ),
    "a codec's model that is trained": (
        lambda codec, folder: codec.model.compile(lic.Adam()),
        ValueError,
        r"compile: expected a model of its own. Received: the model of a codec.*copy.deepcopy\(codec.model\)",
    ),
    "a codec's model that gets weights": (
        lambda codec, folder: lic.weights.set_tensors(codec.model, lic.weights.get_tensors(codec.model)),
        ValueError,
        r"set_tensors: expected a model of its own",
    ),
    "a codec's model that gets scales": (
        lambda codec, folder: lic.training.start_scales(codec.model, IMAGE[None]),
        ValueError,
        r"start_scales: expected a model of its own",
    ),
    "a training of no folder": (
        lambda codec, folder: lic.train(codec, None, folder / "RUN"),
        ValueError,
        r"train: expected data to be a path, which is not empty. Received: None",
    ),
    "a training into an empty path": (
        lambda codec, folder: lic.train(codec, folder, ""),
        ValueError,
        r"train: expected out to be a path, which is not empty. Received: ''",
    ),
    "a codec saved nowhere": (lambda codec, folder: codec.save(None), ValueError, r"Codec.save: expected path to be"),
    "pixels before the path": (
        lambda codec, folder: lic.images.write_image(IMAGE, folder / "a.png"),
        ValueError,
        r"write_image: expected path to be a path, which is not empty. Received: ndarray",
    ),
    "images in place of a folder": (
        lambda codec, folder: lic.evaluate([IMAGE], folder / "OUT", codecs=["jpeg"]),
        ValueError,
        r"evaluate: expected images to be a path",
    ),
    "a model in place of a codec": (
        lambda codec, folder: lic.evaluate(folder, folder / "OUT", models={"m": codec.model}),
        EvaluationError,
        r"expected models to be names, paths or codecs. Received: CompressionModel.*lic.Codec\(model\)",
    ),
    "truth as text": (
        lambda codec, folder: lic.Codec(codec.model, deterministic="False"),
        ValueError,
        r"Codec: expected deterministic to be True or False. Received: deterministic='False'",
    ),
    "verify as text": (
        lambda codec, folder: codec.compress(IMAGE, verify="no"),
        ValueError,
        r"expected verify to be True or False",
    ),
    "progress as a number": (
        lambda codec, folder: codec.compress(IMAGE, progress=5),
        ValueError,
        r"expected progress to be None, or a function of the completed fraction. Received: 5",
    ),
    "one stream in place of a list": (
        lambda codec, folder: codec.decompress_batch(codec.compress(IMAGE)),
        ValueError,
        r"expected streams to be a list of streams. Received: bytes. Give one stream as \[stream\]",
    ),
    "a folder in place of images": (
        lambda codec, folder: codec.compress_batch(str(folder)),
        ValueError,
        r"expected images to be a list of images.*lic.images.read_image",
    ),
    "a folder as calibration": (
        lambda codec, folder: lic.Codec(codec.model, deterministic=True, calibration=str(folder)),
        ValueError,
        r"expected calibration to be a list of images.*lic.images.read_image",
    ),
    "a checkpoint that is not there": (
        lambda codec, folder: lic.import_checkpoint(folder / "none"),
        CheckpointError,
        r"There is no checkpoint .*none, or it lacks its index",
    ),
    "a codec file as a checkpoint": (
        lambda codec, folder: lic.import_checkpoint(folder / "mine.codec"),
        CheckpointError,
        r"mine.codec is a codec file. Load it by lic.load",
    ),
    "scales of images that are not finite": (
        lambda codec, folder: lic.training.start_scales(copy.deepcopy(codec.model), IMAGE[None] * np.nan),
        ValueError,
        r"expected images to be one image at least, of finite numbers",
    ),
    "psnr of images on 0..1": (
        lambda codec, folder: lic.evaluation.run.psnr(IMAGE / 255, IMAGE / 255),
        ImageError,
        r"has the type float64.*expected uint8 or uint16",
    ),
    "psnr of two types": (
        lambda codec, folder: lic.evaluation.run.psnr(IMAGE, IMAGE.astype(np.uint16)),
        ImageError,
        r"the decoded image uint16, expected",
    ),
    "a clip without an end": (
        lambda codec, folder: lic.TrainingSettings(clip=float("inf")),
        ValueError,
        r"expected clip to be None, or over 0 and finite. Received: inf",
    ),
    "a model by a dict": (
        lambda codec, folder: lic.create_model({"transform": "klt"}),
        RegistryError,
        r"Expected the name of a model. Received: dict",
    ),
    "a class of an optimiser": (
        lambda codec, folder: copy.deepcopy(codec.model).compile(lic.Adam),
        ValueError,
        r"expected optimizer to be an optimiser, such as Adam\(\)",
    ),
    "a seed of many bits": (
        lambda codec, folder: copy.deepcopy(codec.model).compile(seed=2**70),
        ValueError,
        r"expected seed to be a number of 32 bits",
    ),
    "gradients of a model that is not compiled": (
        lambda codec, folder: copy.deepcopy(codec.model).gradients_of(IMAGE[None]),
        ValueError,
        r"gradients_of: expected a compiled model",
    ),
    "one image to analyse": (
        lambda codec, folder: codec.model.analyse(IMAGE),
        ValueError,
        r"expected images \[batch, height, width, 3\] on 0..255. Received: the shape \(16, 16, 3\)",
    ),
    "one latent to synthesise": (
        lambda codec, folder: codec.model.synthesise(codec.model.analyse(IMAGE[None])[0]),
        ValueError,
        r"synthesise: expected latents \[batch, rows, columns, \d+\]. Received: the shape \(1, 1, \d+\)",
    ),
    "weights of a codec": (
        lambda codec, folder: lic.weights.get_tensors(codec),
        ValueError,
        r"expected layer to be a Keras layer or model.*Received: Codec",
    ),
    "bits of a model": (
        lambda codec, folder: lic.evaluation.inspect.bit_map(codec.model, IMAGE),
        ValueError,
        r"bit_map: expected codec to be a lic.Codec.*Received: CompressionModel",
    ),
    "an inspected model": (
        lambda codec, folder: lic.evaluation.inspect.inspect_image(codec.model, IMAGE),
        ValueError,
        r"inspect_image: expected codec to be a lic.Codec",
    ),
    "a beta as text": (lambda codec, folder: lic.lmbda_of_beta("a", 256), ValueError, r"expected beta over 0"),
    "scales of a codec": (
        lambda codec, folder: lic.training.start_scales(codec, IMAGE),
        ValueError,
        r"start_scales: expected model to be a lic.CompressionModel",
    ),
    "scales of one image": (
        lambda codec, folder: lic.training.start_scales(copy.deepcopy(codec.model), IMAGE),
        ValueError,
        r"expected images to be images \[batch.*Received: \(16, 16, 3\)",
    ),
    "a table as text": (
        lambda codec, folder: lic.entropy.Normal(("a", 0.1, 2.0)),
        ValueError,
        r"ScaleTable: expected count to be a number",
    ),
    "channels backwards": (
        lambda codec, folder: lic.entropy.channels(5, 3),
        ValueError,
        r"start=5, stop=3",
    ),
    "a height as text": (
        lambda codec, folder: codec.model.complexity(height="a"),
        ValueError,
        r"complexity: expected height to be a whole number",
    ),
    "a table as a number": (
        lambda codec, folder: lic.entropy.Normal(scales=5),
        ValueError,
        r"Normal: expected scales to be ScaleTable or a sequence.*Received: scales=5",
    ),
    "a quantiser without a step": (
        lambda codec, folder: lic.transforms.KLTTransform(step=0),
        ValueError,
        r"KLTTransform: expected step to be over 0 and finite. Received: 0",
    ),
    "a negative mix of channels": (
        lambda codec, folder: lic.layers.GDN(gamma_init=-1),
        ValueError,
        r"GDN: expected gamma_init to be at least 0",
    ),
    "a density of no width": (
        lambda codec, folder: lic.entropy.FactorizedPrior(2, init_scale=-1),
        ValueError,
        r"FactorizedPrior: expected init_scale to be over 0",
    ),
    "half of one channel": (
        lambda codec, folder: lic.layers.BottleneckBlock(1),
        ValueError,
        r"BottleneckBlock: expected filters to be a whole number of at least 2",
    ),
    "multiples of nothing": (
        lambda codec, folder: lic.layers.pad(IMAGE[None], 0),
        ValueError,
        r"pad: expected multiple to be a whole number of at least 1. Received: multiple=0",
    ),
    "a number to export": (
        lambda codec, folder: lic.interop.safetensors.export_safetensors(3, folder / "a.safetensors"),
        ValueError,
        r"export_safetensors: expected model to be a lic.CompressionModel or a lic.Codec. Received: int",
    ),
    "a number to serve": (
        lambda codec, folder: lic.interop.saved_model.export_saved_model(3, folder / "served"),
        ValueError,
        r"export_saved_model: expected codec to be a lic.Codec.*Received: int",
    ),
    "a model to make portable": (
        lambda codec, folder: lic.interop.portable.export.export_portable(codec.model, folder / "portable"),
        ValueError,
        r"export_portable: expected codec to be a lic.Codec.*Received: CompressionModel",
    ),
    "a codec as networks": (
        lambda codec, folder: lic.interop.onnx.export_onnx(codec, folder / "onnx"),
        ValueError,
        r"export_onnx: expected model to be a lic.CompressionModel.*Received: Codec",
    ),
    "a number as hyper transform": (
        lambda codec, folder: lic.testing.check_hyper_transform(3),
        ValueError,
        r"check_hyper_transform: expected hyper to be a lic.HyperTransform.*Received: int",
    ),
    "an effort that is true": (
        lambda codec, folder: codec.compress(IMAGE, effort=True),
        ValueError,
        r"expected effort from 0 to 9. Received: True",
    ),
    "qualities as texts": (
        lambda codec, folder: lic.evaluate(folder, folder / "out", codecs=["jpeg"], qualities=["50"]),
        EvaluationError,
        r"evaluate: expected qualities to be numbers. Received: '50'",
    ),
    "a photograph without channels": (
        lambda codec, folder: lic.images.sample_image(0),
        ValueError,
        r"sample_image: expected channels to be an integer of at least 1",
    ),
    "a misspelt name": (lambda codec, folder: lic.Transfrom, AttributeError, r"Did you mean 'Transform'\?"),
}


@pytest.fixture
def folder(tmp_path):
    lic.images.write_image(tmp_path / "a.png", IMAGE)
    return tmp_path


@pytest.mark.parametrize("name", WRONG)
def test_the_message_says_what_is_wrong(name, folder):
    call, error, words = WRONG[name]
    with pytest.raises(error, match=words):
        call(shared_codec("klt", "factorized"), folder)


def test_tensors_may_be_lists():
    model = tiny_model("klt", "factorized")
    tensors = lic.weights.get_tensors(model)
    lic.weights.set_tensors(model, {name: tensor.tolist() for name, tensor in tensors.items()})
    for name, tensor in lic.weights.get_tensors(model).items():
        np.testing.assert_array_equal(tensor, tensors[name])
