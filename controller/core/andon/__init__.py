"""What is wrong now: `andon.alarms` folds it into one list, `rules` has its codes, `of_*` find the causes."""
