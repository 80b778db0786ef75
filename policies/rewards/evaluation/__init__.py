"""What a learned reward is worth: distances to the truth, order, separation, hacking, and what a policy learns."""
