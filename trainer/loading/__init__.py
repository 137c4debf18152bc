"""From files to batches: which pictures when (batches.py), what is kept between runs, what a step receives."""
