"""Say how like real checkout photos sets of scenes are: distances, plain figures, pictures."""

from rpc.cli.leave import run
from rpc.cli.quality import main

if __name__ == "__main__":
    run(main)
