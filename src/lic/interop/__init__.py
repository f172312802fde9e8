"""Models and codecs in formats of other software: TensorFlow checkpoints, CompressAI, safetensors, ONNX, SavedModel."""

from lic.interop.import_weights import import_checkpoint
from lic.interop.onnx import Network, export_onnx
from lic.interop.portable import export_portable
from lic.interop.safetensors import Module, TorchTensor, export_safetensors, import_safetensors, torch_tensors
from lic.interop.saved_model import export_saved_model

__all__ = [
    "Module",
    "Network",
    "TorchTensor",
    "export_onnx",
    "export_portable",
    "export_safetensors",
    "export_saved_model",
    "import_checkpoint",
    "import_safetensors",
    "torch_tensors",
]
