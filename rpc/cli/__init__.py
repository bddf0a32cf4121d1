"""The command line: one module a verb; `rpc-checkout` and the scripts of tools/ call them."""

import os

# Read by OpenMP when torch is imported: spinning threads slow every neighbour on a shared machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
