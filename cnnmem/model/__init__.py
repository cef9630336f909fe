"""What a network is: layers, their formulas, the graph, the zoo. Nothing here counts."""
