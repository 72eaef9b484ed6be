"""What the results of a rank study say: pure functions from per-clip results to statistics and a verdict."""
