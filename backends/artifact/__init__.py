"""Compiled solvers in one file: StableHLO and a manifest. Reading one needs neither SymPy nor lark."""
