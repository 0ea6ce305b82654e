"""The trained decoder as an ONNX file with weights of 4 bits: small enough to ship, fast on two cores."""

import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

from evals.training.support_net import mask

BLOCK = 64


def wrapped(net: Any) -> Any:
    """(ids, positions, segments, each (1, tokens); ends (claims)) → logits (claims), in 32 bits."""
    import torch

    class Shipped(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = net.body.float(), net.head.float()

        def forward(self, ids: Any, positions: Any, segments: Any, ends: Any) -> Any:
            found = self.body(
                input_ids=ids,
                position_ids=positions,
                attention_mask=mask(segments, torch.float32),
                use_cache=False,
            ).last_hidden_state
            return self.head(found[0, ends]).squeeze(-1)

    return Shipped().eval()


def export(net: Any, folder: Path, bits: int = 4) -> Path:
    """`model.onnx` in the folder: matrix products and the embedding in 4 bits (or matrix products in 8)."""
    import onnx
    import torch
    from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer

    folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        whole = place / "whole.onnx"
        ids = torch.arange(5, 25)[None]
        segments = torch.tensor([[0] * 10 + [1] * 5 + [2] * 5])
        positions = torch.tensor([[*range(10), *range(10, 15), *range(10, 15)]])
        names = ["ids", "positions", "segments"]
        axes: Any = {name: {1: "tokens"} for name in names} | {"ends": {0: "claims"}, "logits": {0: "claims"}}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                wrapped(net),
                (ids, positions, segments, torch.tensor([14, 19])),
                str(whole),
                input_names=[*names, "ends"],
                output_names=["logits"],
                dynamic_axes=axes,
                dynamo=False,
                opset_version=20,
            )
        model = onnx.load(whole)
        config = DefaultWeightOnlyQuantConfig(
            block_size=BLOCK, is_symmetric=False, accuracy_level=4, op_types_to_quantize=("MatMul", "Gather"), bits=bits
        )
        quantizer = MatMulNBitsQuantizer(model, algo_config=config)
        quantizer.process()
        small = folder / "model.onnx"
        onnx.save(quantizer.model.model, small)
    finally:
        shutil.rmtree(place)
    return small
