"""Typeset the article: Typst reads its numbers, tables and figures from the results."""

from pathlib import Path

import typst

from experiments.workflow import job, results

ROOT = Path(__file__).parent.parent


def typeset(source: Path, pdf: Path, folder: str) -> None:
    """Compile ``source`` into ``pdf``; ``folder`` is that of the results, relative to the root.

    Raises:
        typst.TypstError: for an error in the source, or a file that it reads and that is not there.
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
