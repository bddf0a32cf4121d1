"""How often do exemplar photos name the products of checkout trays? By recipe, with failures."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.name_crops")
