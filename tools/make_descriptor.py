"""Learn the gallery descriptor's projection from invented packages; no photo of a store is used."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.make_descriptor")
