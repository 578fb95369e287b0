"""The papers' experiments, repeated on generated data: python3 -m gainstage_experiments. What came of them is
in RESULTS.md."""
