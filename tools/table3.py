"""The RPC paper's table 3 on any store: Single, Syn, Render, Syn+Render by clutter mode."""

from rpc.cli.leave import run
from rpc.cli.table3 import main

if __name__ == "__main__":
    run(main)
