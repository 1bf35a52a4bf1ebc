"""Derivatives and integrals of fractional order as SymPy objects, with their closed forms and rules.

special.py        Mittag-Leffler functions
operators.py      the operators: Caputo, Riemann–Liouville, ... inert until `doit`
closed_forms.py   what `doit` knows: powers, exponentials, sines, Mittag-Leffler functions
composition.py    which compositions merge, and how Caputo and Riemann–Liouville convert
"""
