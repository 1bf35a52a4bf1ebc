"""nablax: PDEs as text, compiled to JAX solvers and residuals."""
