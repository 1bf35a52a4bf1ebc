"""Training of networks on residuals: pure functions over pytrees, and one host loop around them."""
