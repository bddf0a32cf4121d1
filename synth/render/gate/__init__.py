"""Rendered scenes whose products moved, vanished or changed are repaired or left out."""
