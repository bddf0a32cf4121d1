"""Trays counted: the one thread that runs networks, and the camera at the server."""
