# Statistics of the target photos, no network: seconds instead of minutes.
kind = "classical"
