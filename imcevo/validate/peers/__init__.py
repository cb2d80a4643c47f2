"""Published equations of other simulators against those simulators' own results."""
