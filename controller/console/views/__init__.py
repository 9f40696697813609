"""The pages that people work with, a file for each."""
