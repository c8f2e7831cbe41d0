"""What the jobs leave for each other: the names of artifacts, and of the one file in each."""

COMMENT, COMMENT_FILE = "comment", "comment.md"
"""The plan without an engine, for the pull request."""

WHOLE_FILE = "whole.md"
"""The same text with every row, for people: no job reads it."""

ENGINE, ENGINE_FILE = "engine-", "engine.txt"
"""What the engine would do to a stack, whose name follows."""

PLAN, PLAN_FILE = "plan-", "plan.sealed"
"""The update plan of a stack, whose name follows; see `edgewright.ci.sealed`."""

DRIFT, DRIFT_FILE = "drift-", "drift.txt"
"""What the engine would do to undo the drift of a stack, whose name follows; maybe empty."""
