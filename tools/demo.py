"""One tray photo in: the shopping list on the screen, an annotated photo and the list as JSON."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.count")
