"""Join a recognition system with a counter's own recogniser, chosen on val trays."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.fuse")
