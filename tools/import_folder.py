"""Make a store of a plain folder of photos: PHOTOS/<sku>/*.jpg, one product a photo."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.new")
