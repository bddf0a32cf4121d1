"""Fine-grained retrieval on photos by class: the founding tutorial's table, and more beside it."""

from rpc.cli.leave import run
from rpc.cli.retrieve import main

if __name__ == "__main__":
    run(main)
