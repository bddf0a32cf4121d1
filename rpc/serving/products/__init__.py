"""Products of the shop, and their way to a spreadsheet and back."""
