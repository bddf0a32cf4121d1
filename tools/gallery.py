"""A gallery of products: add, remove or rename a SKU in seconds, and find what a photo shows."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.gallery")
