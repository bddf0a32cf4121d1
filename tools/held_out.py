"""Products that training never saw: left out, trained without, added to a gallery, and counted."""

from rpc.cli.held_out import main
from rpc.cli.leave import run

if __name__ == "__main__":
    run(main)
