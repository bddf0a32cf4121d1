"""Cross-validation folds of a store with few labelled trays: each fold a store of its own."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.folds")
