"""A trained network as the folder that a reader of ONNX loads: `model.onnx` in 8 bits and `tokenizer.json`."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def export(net: Any, coder: Any, sample: Mapping[str, Any], folder: Path) -> Path:
    """The path of the weights. `sample` has the network's inputs by name, tensors of shape (rows, tokens)."""
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    folder.mkdir(parents=True, exist_ok=True)
    whole, small = folder / "whole.onnx", folder / "model.onnx"
    axes: Any = {name: {0: "batch", 1: "tokens"} for name in sample} | {"logits": {0: "batch"}}
    with warnings.catch_warnings():  # the exporter warns of its own age and of branches that no input takes
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net,
            tuple(sample.values()),
            str(whole),
            input_names=list(sample),
            output_names=["logits"],
            dynamic_axes=axes,
            dynamo=False,
            opset_version=17,
        )
    quantize_dynamic(str(whole), str(small), weight_type=QuantType.QInt8, per_channel=True)
    whole.unlink()
    coder.save(str(folder / "tokenizer.json"))
    return small
