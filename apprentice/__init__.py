"""The command line, the recipe of each run, the report and the viewer. No mathematics."""
