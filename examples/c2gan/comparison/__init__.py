"""The paper's tables: their rows as edits of graphs, the baselines, one training, and the files they are written to."""
