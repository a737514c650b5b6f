"""Typeset the article: Typst reads its numbers, tables and figures from the results."""

from pathlib import Path

import typst

from experiments.workflow import job, results

ROOT = Path(__file__).parent.parent


def typeset(source: Path, pdf: Path, folder: str) -> None:
    """Compile ``source`` into ``pdf`` with the results in ``folder``, relative to the root.

    Raises:
        typst.TypstError: for an error in the source, or for a file or a number that it needs and
            that is missing.
    """
    content = typst.compile(
        source, root=ROOT, sys_inputs={"results": f"/{folder}"}, ignore_system_fonts=True
    )
    with results.atomic(pdf) as unfinished:
        unfinished.write_bytes(content)


def main() -> None:
    snakemake = job.start()
    typeset(ROOT / "paper" / "main.typ", Path(snakemake.output.pdf), snakemake.params.results)


if __name__ == "__main__":
    main()
