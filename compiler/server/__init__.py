"""A language server: what editors ask of a spec, answered from the same compiler."""
