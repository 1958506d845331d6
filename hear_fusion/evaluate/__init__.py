"""HEAR's evaluation: the official runners, made to run, resumed, scored with intervals.

``official`` starts heareval's own runners; ``run`` orchestrates them; ``scores`` reads what they
leave behind. Nothing heavy is imported here.
"""
