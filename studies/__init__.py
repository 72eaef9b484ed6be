"""Studies: many runs are planned, executed, analysed and reported."""
