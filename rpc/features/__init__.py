"""The shared fine-grained core: backbones and what is built on their maps. No mmdet.

`rpc.features.local` and `rpc.features.text`, and the encodings of arrays, do without torch.
"""
