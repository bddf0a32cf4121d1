"""Learn the gallery descriptor's projection from invented packages; no photo of a store is used."""

from rpc.cli.leave import run
from rpc.cli.make_descriptor import main

if __name__ == "__main__":
    run(main)
