"""Networks for fields: small equinox modules, from one point to the components there."""
