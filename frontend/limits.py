"""How large a spec may be. Untrusted text is an ordinary input, so each limit has a message of its own."""

TEXT_CHARACTERS = 200_000
BRACKET_DEPTH = 64
EXPRESSION_DEPTH = 200  # levels of the syntax tree; a sum of n terms has n - 1
NUMBER_DIGITS = 100
LARGEST_EXPONENT = 308  # what float64 can hold
ERRORS_PARSED = 50  # after so many the rest of the text is not read
