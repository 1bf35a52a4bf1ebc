"""What is wrong with an artifact."""

from typing import Literal

Code = Literal["R730", "R731", "R732", "R733", "R734", "R735"]
HELP: dict[Code, str] = {
    "R730": "compile the spec again: `nablax compile SPEC -o FILE.nbx`",
    "R731": "install a newer nablax, or compile the spec with this one",
    "R732": "leave the file alone, or compile its spec yourself",
    "R733": "compile the spec again with `--platforms` naming this machine's",
    "R734": "compile the spec again with the value wanted",
    "R735": "read a trained field with `nablax.load_field`, a compiled spec with `nablax.load_artifact`",
}


class ArtifactError(Exception):
    """A file that is no artifact, a damaged or newer one, or a request it cannot serve.

    The message is one line, lower case, and says where: the file, the member, the entry of the manifest.
    `code` names the page that `nablax explain` prints.
    """

    def __init__(self, message: str, code: Code = "R730") -> None:
        self.code: Code = code
        super().__init__(message)

    @property
    def help(self) -> str:
        return HELP[self.code]
