"""The table of a network and what is read off it: totals, reconciliation, memory over time."""
