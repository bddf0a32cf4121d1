"""Train a recognition system and measure it: OUT/result.json, best.pth, last.pth, and pictures."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.recognise")
