"""The recognition systems, one a file; `rpc.recognition.registry` knows them by name."""
