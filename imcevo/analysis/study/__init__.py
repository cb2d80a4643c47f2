"""A study read back: tables, statistics, figures, the report. Never simulates."""
