"""Spellings of names: a Greek letter and its name are one name."""

_LETTERS = {
    "alpha": "αΑ",
    "beta": "βϐΒ",
    "gamma": "γΓ",
    "delta": "δΔ",
    "epsilon": "εϵΕ",
    "zeta": "ζΖ",
    "eta": "ηΗ",
    "theta": "θϑΘϴ",
    "iota": "ιΙ",
    "kappa": "κϰΚ",
    "lambda": "λΛ",
    "mu": "μµΜ",
    "nu": "νΝ",
    "xi": "ξΞ",
    "omicron": "οΟ",
    "pi": "πϖΠ",
    "rho": "ρϱΡ",
    "sigma": "σςΣ",
    "tau": "τΤ",
    "upsilon": "υΥϒ",
    "phi": "φϕΦ",
    "chi": "χΧ",
    "psi": "ψΨ",
    "omega": "ωΩ",
}

GREEK_NAMES = frozenset(_LETTERS) | {name.capitalize() for name in _LETTERS}

_NAME_OF = str.maketrans(
    {
        letter: name.capitalize() if letter.isupper() else name
        for name, letters in _LETTERS.items()
        for letter in letters
    }
)

# Written in Greek by the formatter: not the letters that look Latin, nor Δ, which is the Laplacian.
_LETTER_OF = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ",
    "Omega": "Ω",
}  # fmt: skip


_LATIN_OF = str.maketrans("аеорсухіјѕԁһАВЕКМНОРСТХУ", "aeopcyxijsdhABEKMHOPCTXY")  # Cyrillic


def look_alike(first: str, second: str) -> bool:
    """Whether two names that differ are the same on the screen: Cyrillic letters look like Latin ones."""
    return first != second and first.translate(_LATIN_OF) == second.translate(_LATIN_OF)


def canonical_name(text: str) -> str:
    """The one name for all spellings: `ν_t` is `nu_t`."""
    return text.translate(_NAME_OF)


def greek_name(text: str) -> str:
    """`text` with a leading Greek letter's name written as the letter: `nu_t` becomes `ν_t`."""
    if text in _LETTER_OF:
        return _LETTER_OF[text]
    head = text.rstrip("0123456789")
    if "_" in head:
        head = head.split("_", 1)[0]
    # `δa/δb` is a variational derivative, so a delta is written in Greek only where it stands alone
    if head in _LETTER_OF and head != "delta":
        return _LETTER_OF[head] + text[len(head) :]
    return text
