"""Make composed scenes look like the target's photos; labels stay, changed products are refused."""

from rpc.cli.leave import run

if __name__ == "__main__":
    run("rpc.cli.render")
