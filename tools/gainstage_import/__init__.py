"""From published checkpoints to Gainstage's model files. One module for each family of models."""
