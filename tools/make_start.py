"""Make what every store's training starts from: draw packages, compose trays, train on them."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.make_start")
