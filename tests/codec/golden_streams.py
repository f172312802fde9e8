"""Writes the golden streams: run once for each format version, and for new weights of `default`.

    python -m tests.codec.golden_streams

Streams of deterministic codecs decode to the same latent everywhere, so that what is written here must decode to it for
ever. Files of earlier runs are left alone; take them away by hand, and say in the CHANGELOG which streams no longer
decode.
"""

import hashlib
import json

from PIL import Image

import lic
from lic.images import sample_image
from tests.conftest import DATA, random_images, tiny_model

FOLDER = DATA / "golden-streams"
TINY = {
    "charm": ("conv", "charm", {}),
    "checkerboard": ("klt", "checkerboard", {"fusion": "add", "residual": False, "lmbda": (0.002, 0.02)}),
    "mixture": ("klt", "quadtree", {"likelihood": "normal-mixture", "lmbda": (0.002, 0.02)}),
    "serial": ("klt", "autoregressive", {"likelihood": "generalized-normal"}),
    "space-channel": ("klt", "space-channel", {}),
}


def digest(latent):
    """Returns SHA-256 over the shape of a latent and its numbers as little-endian float32."""
    return hashlib.sha256(str(latent.shape).encode() + latent.astype("<f4").tobytes()).hexdigest()


def images():
    """Returns a crop of odd size, a grey one, and a single pixel."""
    crop = sample_image()[101:198, 203:334]
    return {"crop": crop, "grey": crop[:64, :80, 1], "pixel": crop[:1, :1]}


def tiny_codecs():
    """Makes deterministic codecs and keeps them as files beside their streams."""
    for name, (transform, entropy, sizes) in TINY.items():
        path = FOLDER / f"{name}.codec"
        if not path.exists():
            model, calibration = tiny_model(transform, entropy, **sizes), [random_images(64, 80, 3)]
            lic.Codec(model, deterministic=True, stored="float16", calibration=calibration).save(path)
        yield name, lic.load(path, deterministic=True)


def write(name, codec, image, **options):
    """Writes a stream, what it decodes to, and the digest of its latent, where they are not there yet."""
    path = FOLDER / f"{name}.lic"
    if path.exists():
        return
    path.write_bytes(codec.compress(image, **options))
    latent = codec.decode_latent(path.read_bytes())
    Image.fromarray(codec.decompress(path.read_bytes())).save(path.with_suffix(".png"), optimize=True)
    facts = {"lic": lic.__version__, "codec": codec.fingerprint.hex(), "latent": digest(latent)}
    path.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n")


def main():
    FOLDER.mkdir(exist_ok=True)
    default = lic.load("default", deterministic=True)
    for quality in (1, 4.5, 8):
        write(f"default-crop-{quality:g}", default, images()["crop"], quality=quality)
    regions = {"background": 2, "boxes": [(20, 30, 50, 60, 6.5)]}
    write("default-crop-map", default, images()["crop"], quality=regions)
    for kind in ("grey", "pixel"):
        write(f"default-{kind}-4", default, images()[kind], quality=4)
    for name, codec in tiny_codecs():
        for kind, image in images().items():
            write(f"{name}-{kind}", codec, image)


if __name__ == "__main__":
    main()
