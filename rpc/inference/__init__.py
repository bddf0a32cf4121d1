"""All that surrounds a network at work, whatever runs it: numpy, OpenCV and ONNX Runtime, no torch.

A detector of torch and one of ONNX Runtime give raw numbers; what becomes of them is written here
once: `letterbox`, `dense_head`, `finding`; `crops`, `naming`.
"""
