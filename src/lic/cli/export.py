"""`lic export`."""

from __future__ import annotations

import pathlib
import shutil
import tempfile
from collections.abc import Callable
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lic.cli import files, options
from lic.cli.standard_streams import printable
from lic.cli.table import print_table
from lic.errors import LicError
from lic.interrupts import holding_interrupts

if TYPE_CHECKING:
    from lic.interop import TorchTensor

FORMATS = ("codec", "safetensors", "savedmodel", "onnx", "portable")
_FILES = {"codec": ".codec", "safetensors": ".safetensors"}  # The formats that are one file, and its suffix.
# What exports write: a folder that holds these alone is an earlier export.
_SERVED = ("saved_model.pb", "fingerprint.pb", "lic_stream.py", "variables", "assets")
_PORTABLE = ("codec.json", "tables.bin", "decode.py", "decode.js", "page.js", "index.html")
# The files of onnxruntime-web, which users put beside the page of a portable codec.
RUNTIME_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
_WRITTEN = ("*.onnx", "networks.json", *_SERVED, *_PORTABLE, *RUNTIME_FILES, "__pycache__")


def export(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A model that ships, a .codec file, or the folder of a training.")
    ],
    out: Annotated[pathlib.Path, typer.Argument(metavar="OUT", help="The file or the folder to write.")],
    format: Annotated[str, typer.Option(help="codec, safetensors, savedmodel, onnx or portable.")],
    deterministic: Annotated[
        bool,
        typer.Option(
            "--deterministic",
            help="With codec: add networks in whole numbers, whose streams decode on every machine. With savedmodel: "
            "make and read such streams.",
        ),
    ] = False,
    calibration: Annotated[
        pathlib.Path | None,
        typer.Option(
            metavar="IMAGES",
            help="With codec and --deterministic: the folder of photographs by which whole numbers are scaled. "
            "[default: the sample of lic]",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an existing output.")] = False,
) -> None:
    """Write a codec's weights, the codec itself or its networks in a format of other software."""
    options.check_choice("format", format, FORMATS)
    if deterministic and format not in ("codec", "savedmodel"):
        raise typer.BadParameter("--deterministic is for --format codec and savedmodel")
    if calibration and not (deterministic and format == "codec"):
        raise typer.BadParameter("--calibration is for --format codec with --deterministic")
    files.refuse_inputs(out, model)
    files.refuse_existing(out, force)
    if format in _FILES and out.suffix != _FILES[format]:
        raise typer.BadParameter(f"--format {format} writes a file that ends in {_FILES[format]}. Received: {out}")
    if format not in _FILES and out.suffix in (".codec", ".safetensors", ".onnx"):
        raise typer.BadParameter(f"--format {format} writes a folder. Received: {out}. Name a folder")
    if format not in _FILES:
        out = out.resolve() if out.is_symlink() else out  # The folder is replaced, and not the link to it.
        _refuse_other_folders(out)
    needs_whole_numbers = format == "portable" or (deterministic and format == "savedmodel")
    codec = options.load(model, "float32", "none", needs_whole_numbers)
    if format == "codec" and deterministic:
        codec = _made_deterministic(codec, calibration)
    write = {
        "codec": _write_codec,
        "safetensors": _write_safetensors,
        "savedmodel": _write_saved_model,
        "onnx": _write_onnx,
        "portable": _write_portable,
    }[format]
    print(printable(f"{model} -> {out}  {write(codec, out, force)}"))


def _made_deterministic(codec: Any, calibration: pathlib.Path | None) -> Any:
    import lic
    from lic.images import image_files, read_samples

    images = None
    if calibration is not None:
        depths = {"channels": codec.channels, "bit_depth": codec.bit_depth}
        paths = image_files(calibration, arrays=True)
        images = (read_samples(path, background="white", to_8_bit=codec.bit_depth == 8, **depths) for path in paths)
    return lic.Codec(codec.model, deterministic=True, calibration=images, **codec.settings)


def _write_codec(codec: Any, out: pathlib.Path, force: bool) -> str:
    with files.new_file(out, force) as path:
        codec.save(path)
    return f"codec {codec.fingerprint.hex()}"


def _write_safetensors(codec: Any, out: pathlib.Path, force: bool) -> str:
    from lic.interop import export_safetensors

    with files.new_file(out, force) as path:
        tensors = export_safetensors(codec, path)
    print_table(map(_row, tensors), {"name": "{}", "shape": "{}", "torch_module": "{}"})
    return f"{len(tensors)} tensors"


def _row(tensor: TorchTensor) -> dict[str, str]:
    """Returns the row of a tensor in the table of names."""
    name, arguments, then, note = tensor.module
    arguments = ", ".join(f"{argument}={value}" for argument, value in arguments.items())
    module = [f"{name}({arguments})" if arguments else name, then and f"then {then}", note]
    return {"name": tensor.name, "shape": str(list(tensor.shape)), "torch_module": "; ".join(filter(None, module))}


def _write_saved_model(codec: Any, out: pathlib.Path, force: bool) -> str:
    from lic.interop.saved_model import export_saved_model

    _replace(out, force, lambda folder: export_saved_model(codec, folder))
    return f"codec {codec.fingerprint.hex()}"


def _write_onnx(codec: Any, out: pathlib.Path, force: bool) -> str:
    from lic.interop.onnx import export_onnx

    count = len(_replace(out, force, lambda folder: export_onnx(codec.model, folder)))
    return f"{count} network{'s' * (count != 1)}"


def _write_portable(codec: Any, out: pathlib.Path, force: bool) -> str:
    from lic.interop.portable import export_portable

    def write(folder: pathlib.Path) -> list[str]:
        names = export_portable(codec, folder)
        for runtime in (out / name for name in RUNTIME_FILES):
            if runtime.is_file():
                shutil.copy2(runtime, folder)
        return names

    names = _replace(out, force, write)
    return f"codec {codec.fingerprint.hex()}, {sum((out / name).stat().st_size for name in names):,} bytes"


def _refuse_other_folders(out: pathlib.Path) -> None:
    """Raises a LicError if an output exists that holds anything but an export: it may be a user's own files."""
    if not out.exists():
        return
    if not out.is_dir():
        raise LicError(f"{out} is no folder, so it is not replaced. Name another output.")
    others = [each.name for each in out.iterdir() if not any(fnmatch(each.name, name) for name in _WRITTEN)]
    if others:
        names = ", ".join(sorted(others)[:3])
        raise LicError(
            f"{out} holds what lic does not export ({names}), so it is not replaced. Move that, or name another output."
        )


def _replace(out: pathlib.Path, force: bool, write: Callable[[pathlib.Path], Any]) -> Any:
    """Writes a folder aside and puts it in the place of an earlier one when it is complete."""
    from lic.environment import tf

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as aside:
            written, before = pathlib.Path(aside) / "after", pathlib.Path(aside) / "before"
            result = write(written)
            files.refuse_existing(out, force)  # It may have come into being since.
            _refuse_other_folders(out)
            with holding_interrupts():  # Between the two, the earlier folder stands in one that is removed.
                if out.exists():
                    out.rename(before)
                try:
                    written.rename(out)
                except OSError:
                    if before.exists():
                        before.rename(out)
                    raise
    except OSError as error:
        raise LicError(f"{out} cannot be written: {error.strerror or error}.") from error
    except tf.errors.OpError as error:  # TensorFlow's own file system has errors of its own.
        raise LicError(f"{out} cannot be written: {error.message}.") from error
    return result
