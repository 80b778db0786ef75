"""Tool tasks: scene, reward terms and success of each."""
