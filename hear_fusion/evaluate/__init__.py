"""Evaluation: the official HEAR runners, made to run, resumed, scored with intervals.

``official`` starts heareval's own runners; ``run`` orchestrates them; ``scores`` and ``table``
read what they leave behind. Nothing heavy is imported here.
"""
