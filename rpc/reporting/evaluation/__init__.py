"""One system's results scored: the report as JSON, markdown and a page."""
