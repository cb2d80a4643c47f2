"""Cost profiles of other simulators: their published equations and constants, to be compared with their results."""
