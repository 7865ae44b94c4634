"""From a result folder to pictures: result (reading) -> heatmap, pareto, samples, comparison (one picture each)."""
