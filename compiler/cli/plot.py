"""`nablax plot`: pictures and movies of a saved run."""

from pathlib import Path

import click

from nablax.cli.messages import FileProblem


@click.command(short_help="Draw a saved run.")
@click.argument("out")
@click.option("--what", metavar="KIND", help="heatmap, spacetime, lines, vectors or slice.")
@click.option("--field", metavar="NAME", help="Which field or component; all if left out.")
@click.option("-o", "output", metavar="PATH", help="The file to write; beside the data if left out.")
@click.option("--movie", is_flag=True, help="Draw a movie instead of a picture.")
def plot(out: str, what: str | None, field: str | None, output: str | None, movie: bool) -> int:
    """Draw a picture or a movie of a saved run."""
    from nablax.backends.output.movies import draw_movie
    from nablax.backends.output.paths import OutputError, claim
    from nablax.backends.output.pictures import draw_saved
    from nablax.backends.output.scene import PictureError

    data = Path(out)
    if not data.name or data.suffix not in (".zarr", ".nc"):
        raise FileProblem(f"`{out}` is no saved run: those end in .zarr or .nc")
    try:
        path = Path(output) if output else data.with_suffix(".mp4" if movie else ".png")
        claim(path)
        if movie:
            wanted = path
            path = draw_movie(data, path, field)
            if path != wanted:
                click.echo("there is no ffmpeg here, so the movie is a GIF", err=True)
        else:
            draw_saved(data, path, what, field)
    except (OutputError, PictureError) as error:
        raise FileProblem(str(error)) from None
    click.echo(f"{path}")
    return 0
