"""Users' own episodes as rewards see them, from the formats that others write, and progress written back."""
