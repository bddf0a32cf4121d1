"""Compare scored results on the same images: differences with intervals, paired tests, tables."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.compare")
