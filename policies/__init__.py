"""From demonstrations to policies, and what they are worth. No PyBullet calls."""
