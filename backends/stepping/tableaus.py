"""Runge–Kutta coefficients, exact.

Sources: Heun's method and the classical method, Hairer, Nørsett, Wanner, "Solving Ordinary Differential
Equations I", section II.1; Dormand and Prince, J. Comput. Appl. Math. 6 (1980) 19, table 2 (RK5(4)7M);
ARK4(3)6L[2]SA, Kennedy and Carpenter, Appl. Numer. Math. 44 (2003) 139, appendix C.
"""

from dataclasses import dataclass
from fractions import Fraction

Row = tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Tableau:
    """a (strictly lower, or lower with a constant diagonal after the first row), b, c and embedded b̂."""

    name: str
    order: int
    a: tuple[Row, ...]
    b: Row
    embedded: Row | None = None
    error_order: int = 0

    @property
    def c(self) -> Row:
        return tuple(sum(row, Fraction(0)) for row in self.a)

    @property
    def stages(self) -> int:
        return len(self.b)

    @property
    def first_same_as_last(self) -> bool:
        """The last stage is the rate at the new point."""
        return self.a[-1] == self.b

    def weights(self) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(float(v) for v in row) for row in self.a)

    def solution(self) -> tuple[float, ...]:
        return tuple(float(v) for v in self.b)

    def error(self) -> tuple[float, ...]:
        """b - b̂."""
        assert self.embedded is not None
        return tuple(float(p - q) for p, q in zip(self.b, self.embedded, strict=True))


def _rows(text: str, stages: int) -> tuple[Row, ...]:
    rows = [tuple(Fraction(word) for word in line.split()) for line in text.strip().splitlines()]
    return tuple(row + (Fraction(0),) * (stages - len(row)) for row in rows)


def _row(text: str) -> Row:
    return tuple(Fraction(word) for word in text.split())


EULER = Tableau("euler", 1, _rows("0", 1), _row("1"))
HEUN = Tableau("rk2", 2, _rows("0\n1", 2), _row("1/2 1/2"))
CLASSICAL = Tableau("rk4", 4, _rows("0\n1/2\n0 1/2\n0 0 1", 4), _row("1/6 1/3 1/3 1/6"))
DORMAND_PRINCE = Tableau(
    "dopri5",
    5,
    _rows(
        """
        0
        1/5
        3/40 9/40
        44/45 -56/15 32/9
        19372/6561 -25360/2187 64448/6561 -212/729
        9017/3168 -355/33 46732/5247 49/176 -5103/18656
        35/384 0 500/1113 125/192 -2187/6784 11/84
        """,
        7,
    ),
    _row("35/384 0 500/1113 125/192 -2187/6784 11/84 0"),
    _row("5179/57600 0 7571/16695 393/640 -92097/339200 187/2100 1/40"),
    4,
)

_ARK_B = "82889/524892 0 15625/83664 69875/102672 -2260/8211 1/4"
_ARK_EMBEDDED = (
    "4586570599/29645900160 0 178811875/945068544 814220225/1159782912 -3700637/11593932 61727/225920"
)
ARK_EXPLICIT = Tableau(
    "ARK4(3)6L[2]SA-ERK",
    4,
    _rows(
        """
        0
        1/2
        13861/62500 6889/62500
        -116923316275/2393684061468 -2731218467317/15368042101831 9408046702089/11113171139209
        -451086348788/2902428689909 -2682348792572/7519795681897 12662868775082/11960479115383
            3355817975965/11060851509271
        647845179188/3216320057751 73281519250/8382639484533 552539513391/3454668386233
            3354512671639/8306763924573 4040/17871
        """.replace("\n            3355", " 3355").replace("\n            3354", " 3354"),
        6,
    ),
    _row(_ARK_B),
    _row(_ARK_EMBEDDED),
    3,
)
ARK_IMPLICIT = Tableau(
    "ARK4(3)6L[2]SA-ESDIRK",
    4,
    _rows(
        """
        0
        1/4 1/4
        8611/62500 -1743/31250 1/4
        5012029/34652500 -654441/2922500 174375/388108 1/4
        15267082809/155376265600 -71443401/120774400 730878875/902184768 2285395/8070912 1/4
        82889/524892 0 15625/83664 69875/102672 -2260/8211 1/4
        """,
        6,
    ),
    _row(_ARK_B),
    _row(_ARK_EMBEDDED),
    3,
)
ARK_NODES: Row = _row("0 1/2 83/250 31/50 17/20 1")
"""Exact c; the rounded explicit coefficients meet it to about 1e-24."""
