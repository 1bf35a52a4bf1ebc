"""The Stokes problem of an implicit step: y - shift (L y + G p) = right and D y = D right, solved as it stands.

Methods that split it (J. Kim, P. Moin, J. Comput. Phys. 59 (1985) 308-323, equations 3 to 5; D. L. Brown,
R. Cortez, M. L. Minion, J. Comput. Phys. 168 (2001) 464-499, equations 14 to 20) leave an error of order two in time
at best, and layers at walls. Nothing is split here, so that Runge-Kutta methods keep their order and their
damping: with B = (I - shift L)^(-1), by modes, p is what

    -D B G (shift p) = D (B - 1) right

determines. The matrix is of order zero where shift L is large and like the Laplacian where it is small;
divided by its symbol away from walls its eigenvalues lie together whatever the grid and the shift are, as with
the sum of both limits that J. Cahouet and J.-P. Chabard take (Int. J. Numer. Methods Fluids 8 (1988) 869-895).
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
    """B G q with D B G q = -excess, which a field that D keeps has to hold; NaN where GMRES does not converge.

    `viscous` is B, `divergence` D on nodal arrays, `gradient` G on cell values, and `near` about the inverse of
    -D B G, without what that cannot see.
    """

    def pushed(cells: Array) -> Vector:
        return viscous(gradient(cells))

    def matrix(vector: Vector) -> Vector:
        return (-divergence(pushed(vector[0])),)

    (found,) = krylov.solve(matrix, (excess,), lambda vector: (near(vector[0]),))
    return pushed(found)
