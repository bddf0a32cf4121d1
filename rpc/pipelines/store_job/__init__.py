"""The main job: from a store's exemplars to a model and its report."""
