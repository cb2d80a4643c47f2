"""Studies: designs searched for different questions and held against each other."""
