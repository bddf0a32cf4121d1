"""What every test needs: a hypothesis that can be repeated, and threads that wait politely."""

import os

from hypothesis import settings

# Read when torch is imported, by any test module: spinning threads slow their neighbours.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# A busy machine is slow, not wrong: no example fails for the time it takes. And the same examples
# every time: a test that fails now and then tells nobody which change broke it.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")
