"""Products that training never saw: left out, trained without, added to a gallery, and counted."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.held_out")
