"""Object states and the action between them, discovered in unlabelled clips of one task."""
