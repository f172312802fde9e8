"""Makes the KLT of 16x16 blocks of photographs that the transform `klt` starts from.

    python training/klt.py PHOTOGRAPHS src/lic/transforms/klt.npz

Blocks are cut at offsets of 0 and 8 in height and width, and every photograph has the same weight in the mean of the
covariances.
"""

import pathlib
import sys

import numpy as np
from PIL import Image

BLOCK = 16


def blocks(pixels: np.ndarray) -> np.ndarray:
    """Cuts an image [height, width, 3] into blocks [count, 768]."""
    rows, columns = pixels.shape[0] // BLOCK, pixels.shape[1] // BLOCK
    pixels = pixels[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK, 3)
    return pixels.transpose(0, 2, 1, 3, 4).reshape(rows * columns, -1)


def covariance(file: pathlib.Path) -> np.ndarray:
    """Returns the second moment [768, 768] about mid-grey of all blocks of a photograph."""
    pixels = np.asarray(Image.open(file).convert("RGB"), np.float64) - 127.5
    cut = np.concatenate([blocks(pixels[top:, left:]) for top in (0, 8) for left in (0, 8)])
    return cut.T @ cut / len(cut)


def main(folder: str, out: str) -> None:
    """Averages over the JPEG files of a folder, and writes basis (float16) and variances (float32)."""
    files = sorted(pathlib.Path(folder).glob("*.jpg"))
    variances, basis = np.linalg.eigh(np.mean([covariance(file) for file in files], 0))
    basis *= np.sign(basis.sum(0))  # Eigenvectors have free signs, so each gets a sum that is not negative.
    np.savez_compressed(out, basis=basis[:, ::-1].astype(np.float16), variances=variances[::-1].astype(np.float32))
    print(f"{len(files)} photographs -> {out}")


if __name__ == "__main__":
    main(*sys.argv[1:])
