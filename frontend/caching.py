"""Where what can be made again is kept between runs."""

import os
from pathlib import Path


def cache_folder() -> Path | None:
    """A folder that only this user can write, None where there is none: a cache is a convenience.

    What lies in it is taken for this user's own work (tables of the grammar are unpickled), so that a
    shared folder would not do.
    """
    try:
        base = os.environ.get("XDG_CACHE_HOME")
        folder = (Path(base) if base else Path.home() / ".cache") / "nablax"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except (OSError, RuntimeError):
        return None
    own = not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o022)
    return folder if own and os.access(folder, os.W_OK) else None
