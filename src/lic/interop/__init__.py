"""Weights and networks in the formats of others: checkpoints, safetensors, CompressAI, ONNX, SavedModel."""
