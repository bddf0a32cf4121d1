"""Everything that knows mmdet: registered modules, data set, training, a detector at work.

Importing this package makes `import mmdet` work on a current torch (see `runtime`).
"""

from rpc.detection import runtime

runtime.setup()
