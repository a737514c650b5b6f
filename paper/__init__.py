"""The report: claims and their verdicts, the article, and its typesetting."""
