"""Counters that `rpc-checkout export` wrote: a folder that is counted with without torch."""
