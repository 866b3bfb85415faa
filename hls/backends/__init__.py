"""Writers of firmware projects, one file or folder per backend."""
