"""What the other packages share: model files, files from strangers, new files, messages and standard streams.
Needs numpy alone."""
