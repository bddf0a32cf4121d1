"""The main job: product photos in, shopping lists of held-out trays and an honest report out."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.quickstart")
