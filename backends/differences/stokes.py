"""The Stokes problem of an implicit step, solved as it stands:

    y - shift (L y + G p) = right        D y = D right

Methods that split it (J. Kim, P. Moin, J. Comput. Phys. 59 (1985) 308-323; D. L. Brown, R. Cortez,
M. L. Minion, J. Comput. Phys. 168 (2001) 464-499) leave an error of order two in time at best, and layers
at walls. Nothing is split here, so that Runge-Kutta methods keep their order and their damping: with
B = (I - shift L)^(-1), by modes, p is what

    -D B G (shift p) = D (B - 1) right

determines. Its matrix is like the Laplacian where shift L is small and of order zero where it is large.
Divided by its symbol away from walls its eigenvalues lie together whatever the grid and the shift are, as
with the sum of both limits that J. Cahouet and J.-P. Chabard take (Int. J. Numer. Methods Fluids 8 (1988)
869-895): 8 to 35 iterations were counted, 8 to 64 cells along an axis and shifts from 1e-3 to 1e3.
"""

from collections.abc import Callable

from jax import Array

from nablax.backends import krylov
from nablax.backends.interface import Vector


def push_of(
    excess: Array,
    viscous: Callable[[Vector], Vector],
    divergence: Callable[[Vector], Array],
    gradient: Callable[[Array], Vector],
    near: Callable[[Array], Array],
) -> Vector:
    """B G q with D B G q = -excess; NaN where GMRES does not converge.

    `viscous` is B, `divergence` D on nodal arrays, `gradient` G on cell values, and `near` about the inverse
    of -D B G, without what that cannot see.
    """

    def pushed(cells: Array) -> Vector:
        return viscous(gradient(cells))

    def matrix(vector: Vector) -> Vector:
        return (-divergence(pushed(vector[0])),)

    (found,) = krylov.solve(matrix, (excess,), lambda vector: (near(vector[0]),))
    return pushed(found)
