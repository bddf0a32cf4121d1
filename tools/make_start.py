"""Make what every store's training starts from: draw packages, compose trays, train on them."""

from rpc.cli.leave import run
from rpc.cli.make_start import main

if __name__ == "__main__":
    run(main)
