"""Does the load generator tell the truth? Accuracy, decisions, capacity and merging, against servers that are known."""
