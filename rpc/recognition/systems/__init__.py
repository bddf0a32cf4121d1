"""The recognition systems, one a file; `rpc.recognition.systems.registry` knows them by name."""
