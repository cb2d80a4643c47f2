"""The physical profile against measured chips, figure by figure."""
