"""Names of AST's tensors in the forms in which they were published."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

# What the author's file and Hugging Face's, on disk and in memory, call each part.
AUTHORS_KEYS = {
    "cls": "v.cls_token",
    "dist": "v.dist_token",
    "positions": "v.pos_embed",
    "patches": "v.patch_embed.proj",
    "norm": "v.norm",
    "norm1": "v.blocks.{}.norm1",
    "qkv": "v.blocks.{}.attn.qkv",
    "proj": "v.blocks.{}.attn.proj",
    "norm2": "v.blocks.{}.norm2",
    "fc1": "v.blocks.{}.mlp.fc1",
    "fc2": "v.blocks.{}.mlp.fc2",
}
HUGGING_FACE_KEYS = {
    "cls": "embeddings.cls_token",
    "dist": "embeddings.distillation_token",
    "positions": "embeddings.position_embeddings",
    "patches": "embeddings.patch_embeddings.projection",
    "norm": "layernorm",
    "norm1": "encoder.layer.{}.layernorm_before",
    "q": "encoder.layer.{}.attention.attention.query",
    "k": "encoder.layer.{}.attention.attention.key",
    "v": "encoder.layer.{}.attention.attention.value",
    "proj": "encoder.layer.{}.attention.output.dense",
    "norm2": "encoder.layer.{}.layernorm_after",
    "fc1": "encoder.layer.{}.intermediate.dense",
    "fc2": "encoder.layer.{}.output.dense",
}
TRANSFORMERS_5_KEYS = {
    **HUGGING_FACE_KEYS,
    "norm1": "layers.{}.layernorm_before",
    "q": "layers.{}.attention.q_proj",
    "k": "layers.{}.attention.k_proj",
    "v": "layers.{}.attention.v_proj",
    "proj": "layers.{}.attention.o_proj",
    "norm2": "layers.{}.layernorm_after",
    "fc1": "layers.{}.mlp.fc1",
    "fc2": "layers.{}.mlp.fc2",
}
HUGGING_FACE_PREFIX = "audio_spectrogram_transformer."
UNUSED = ("v.head.", "v.head_dist.", "mlp_head.", "classifier.")  # classifiers


def names_in(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """Tell by which names a file calls AST's parts."""
    if AUTHORS_KEYS["cls"] in tensors:
        return AUTHORS_KEYS
    is_new = TRANSFORMERS_5_KEYS["q"].format(0) + ".weight" in tensors
    return TRANSFORMERS_5_KEYS if is_new else HUGGING_FACE_KEYS
