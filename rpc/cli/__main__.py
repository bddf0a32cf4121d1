"""`python -m rpc.cli`: the same as the command `rpc-checkout`."""

from rpc.cli.leave import run
from rpc.cli.main import main

if __name__ == "__main__":
    run(main)
