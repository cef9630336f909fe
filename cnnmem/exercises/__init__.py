"""The engine of questions: kinds, judging, progress, panels.

It is handed questions and lessons as values, and never looks one up: that is what
`cnnmem.lessons` does.
"""
