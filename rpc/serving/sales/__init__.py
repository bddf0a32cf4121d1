"""Sales: opened by a counted tray, corrected, accepted or voided; lists of them."""
