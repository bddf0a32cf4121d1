"""The RPC paper's table 3 on any store: Single, Syn, Render, Syn+Render by clutter mode."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.table3")
