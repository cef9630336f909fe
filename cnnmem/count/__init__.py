"""The table of a network, and all that is read off it: totals, reconciliation, memory over time."""
