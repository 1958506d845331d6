"""The chapters of a study: tables, curves, comparisons."""
