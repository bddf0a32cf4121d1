"""Train a detector: a config, a store and composed scenes in, WORK_DIR/model.pth out."""

from rpc.cli.leave import run
from rpc.cli.train import main

if __name__ == "__main__":
    run(main)
