"""Small things that models do badly by themselves: sums, dates, hashes, patterns, templates."""
