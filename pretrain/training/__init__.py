"""From examples to a trained model: recipes, batches, steps, checkpoints, alarms."""
