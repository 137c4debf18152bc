"""What is measured, each file with its command; figures are in RESULTS.md."""
