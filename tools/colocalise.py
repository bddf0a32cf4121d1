"""Find what a set of photos has in common (DDT, DDT+): a box on each, without any label."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.colocalise")
