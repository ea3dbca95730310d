"""Sources of papers: Hugging Face Daily Papers, digests, RSS and Atom feeds, arXiv answers, files."""
