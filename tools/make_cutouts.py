"""Cut the products out of a store's exemplar photos: RGBA PNGs and cutouts.json."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.cutouts")
