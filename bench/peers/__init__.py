"""Compare Querist with the programs that people use instead: same model, same questions, same scorer. See README.md."""
