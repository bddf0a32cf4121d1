"""The main job: product photos in, shopping lists of held-out trays and an honest report out."""

from rpc.cli.leave import run
from rpc.cli.quickstart import main

if __name__ == "__main__":
    run(main)
