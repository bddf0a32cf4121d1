"""Parts of objects: found, described and cut out."""
