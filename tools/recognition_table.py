"""All recognition systems on data sets, the same budget, several seeds: one table."""

from rpc.cli.leave import run
from rpc.cli.recognition_table import main

if __name__ == "__main__":
    run(main)
