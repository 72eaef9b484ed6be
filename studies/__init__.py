"""Studies: planning, execution, analysis and reports of many runs."""
