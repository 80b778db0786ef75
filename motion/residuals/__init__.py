"""Terms of the whole-clip problem, one a file, each with its analytic error and Jacobian."""
