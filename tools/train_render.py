"""Learn to make composed scenes look like checkout photos: writes OUT/renderer.pth."""

from rpc.cli.leave import run
from rpc.cli.train_render import main

if __name__ == "__main__":
    run(main)
