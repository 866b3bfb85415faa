"""One driver per tool: its command and the parser of its report."""
