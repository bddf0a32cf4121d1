"""Score a results file: cAcc, ACD, mCCD, mCIoU, mAP50 and mmAP by clutter level."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.evaluate")
