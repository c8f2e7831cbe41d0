"""What the jobs of continuous integration do: which stacks a change touches, plans without an engine, one comment.

``python -m edgewright.ci VERB``; each workflow's shell steps are one such line. What a change says (names of files,
routes, branches) is data here: it is cut, made visible, and reaches no shell and no log as a command.
The verbs that hold a token of the repository import Python's standard library alone.
"""
