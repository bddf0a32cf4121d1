"""Trains a counter's recogniser on scenes, as the main job does: `SCENES OUT`, to be struck.

The resume point holds the time used; `weights.pth` is the same however often it was stopped.
"""

import sys
from pathlib import Path

from rpc.cli.leave import run


def main(argv=None):
    """Train so many batches."""
    import torch

    from rpc.recognition.counter.train import recogniser_learning, train_recogniser
    from rpc.runs.tensor_files import write_tensors

    torch.set_num_threads(1)
    scenes, out = map(Path, sys.argv[1:])
    settings = recogniser_learning(iterations=16, batch_size=4)
    model = train_recogniser(scenes, out, settings, progress=_tell)
    write_tensors(out / "weights.pth", dict(model.state_dict()))
    return 0


def _tell(done, facts):
    print(f"{done:.3f} {facts}", flush=True)


if __name__ == "__main__":
    run(main)
