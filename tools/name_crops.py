"""How often do exemplar photos name the products of checkout trays? By recipe, with failures."""

from rpc.cli.leave import run
from rpc.cli.name_crops import main

if __name__ == "__main__":
    run(main)
