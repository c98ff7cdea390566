"""Two tasks in turn: what a posterior hands on to the next."""
