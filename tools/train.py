"""Train a detector: a config, a store and composed scenes in, WORK_DIR/model.pth out."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.train")
