"""Train a recognition system and measure it: OUT/result.json, best.pth, last.pth, and pictures."""

from rpc.cli.leave import run
from rpc.cli.recognise import main

if __name__ == "__main__":
    run(main)
