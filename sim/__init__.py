"""Tool tasks in PyBullet as gymnasium environments; alignment, retargeting, rendered clips with known truth."""
