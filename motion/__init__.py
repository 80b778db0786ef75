"""Human, tool and robot models; whole-clip motion and contact forces; exporters. No pixels."""
