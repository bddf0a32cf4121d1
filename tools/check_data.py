"""Say in one page what a data set holds, what is missing and what is damaged."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.check")
