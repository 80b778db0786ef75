"""Other people's motion, brought onto the body model."""
