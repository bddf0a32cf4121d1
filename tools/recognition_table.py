"""All recognition systems on data sets, the same budget, several seeds: one table."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.recognition_table")
