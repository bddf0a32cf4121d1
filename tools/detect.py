"""Find the products on photos: a model and a split (or a folder of photos) in, COCO results out."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.detect")
