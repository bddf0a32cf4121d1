"""Photos to vectors that are compared by their cosine."""
