"""Which derivatives a residual needs, and how to have them in as few passes as possible."""
