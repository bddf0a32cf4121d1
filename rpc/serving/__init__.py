"""The counter as a web service: REST under `/v1`, a page in the browser, events and webhooks.

`rpc.serving.app` puts it together; `rpc-checkout serve` starts it. No torch is imported here: the
counter and the gallery are given.
"""

from rpc.data.packages import EXTRAS, import_package

for _name in EXTRAS["serve"]:  # told together, before anything is begun
    import_package(_name)
