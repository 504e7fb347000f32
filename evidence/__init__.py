"""Evidence: one results.json per run; every other format is a pure function of it.

Results are plain JSON values (dict, list, str, int, float, bool, None) of the shape that
`evidence/schema/results-1.json` describes.
"""
