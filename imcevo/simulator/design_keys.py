"""Design keys that simulators of the physical profile read, beside those of the mapping policy."""

KEYS: tuple[str, ...] = (
    "cell", "node_nm", "voltage_V", "bits_per_cell", "rows", "rows_active", "cols", "adc_type", "adc_bits",
    "adc_range", "cols_per_adc", "dac_bits", "macros_per_tile", "tiles_per_group", "router_groups", "input_buffer_B",
    "output_buffer_B", "glb_depth", "dram", "digital_lanes",
)  # fmt: skip
HYBRID_KEYS = ("digital_cell", "digital_groups")  # they ask for chips with two kinds of tiles
PRECISION_KEYS = ("input_bits", "weight_bits")  # they make bits the design's to choose
