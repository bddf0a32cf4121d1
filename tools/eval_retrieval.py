"""Fine-grained retrieval on photos by class: the founding tutorial's table, and more beside it."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.retrieve")
