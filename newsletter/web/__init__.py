"""Pages: the preview studio, on this machine alone."""
