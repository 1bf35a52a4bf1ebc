"""What is wrong with an artifact."""


class ArtifactError(Exception):
    """A file that is no artifact, a damaged or newer one, or a request it cannot serve.

    The message is one line, lower case, and says where: the file, the member, the entry of the manifest.
    """
