"""Report of a rank study: what it says in a sentence, its tables and figures, and what a difference is worth."""
