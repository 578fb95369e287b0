"""Data sets: folders of pairs, the SignalTrain layout, and what is generated from reference compressors."""
