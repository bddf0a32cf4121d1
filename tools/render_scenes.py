"""Make composed scenes look like the target's photos; labels stay, changed products are refused."""

from rpc.cli.leave import run
from rpc.cli.render import main

if __name__ == "__main__":
    run(main)
