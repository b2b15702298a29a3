"""From registers and stack memory to frames."""
