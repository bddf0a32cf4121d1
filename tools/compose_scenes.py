"""Compose checkout scenes from cut-outs: images/ and instances.json with masks and boxes."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.compose")
