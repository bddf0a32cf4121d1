"""Learn to make composed scenes look like checkout photos: writes OUT/renderer.pth."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.train_render")
