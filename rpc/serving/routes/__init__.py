"""The endpoints, a file for each subject; each is a few lines over what does the work."""
