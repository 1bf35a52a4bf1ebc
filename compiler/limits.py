"""Limits that keep an untrusted spec from exhausting the machine at compile time."""

DERIVATIVE_ORDER = 16  # of one derivative, along all axes together
POWER = 64  # largest integer exponent of an expression that is expanded
EXPRESSION_NODES = 50_000  # SymPy nodes of one expanded equation
DIGITS = 400  # of an exact number after arithmetic
AXIS_POINTS = 1 << 24  # points along one axis
GRID_POINTS = 1 << 33  # points of the whole grid
AXES = 3  # of a grid; residuals take more
FRAMES = 1_000_000
