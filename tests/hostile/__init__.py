"""What somebody who means harm tries on a real service, and what it costs everybody else: nothing."""
