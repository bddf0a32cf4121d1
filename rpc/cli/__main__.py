"""`python -m rpc.cli`: the same as the command `rpc-checkout`."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.main")
