"""Say how like real checkout photos sets of scenes are: distances, plain figures, pictures."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.quality")
