"""The physical profile against a public survey of measured chips."""
