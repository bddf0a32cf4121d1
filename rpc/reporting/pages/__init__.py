"""A report as pages and tables: markdown, HTML with charts, CSV, LaTeX. Printing only."""
