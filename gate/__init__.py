"""The pytest plugin that turns Gherkin scenarios into verdicts, and verdicts into an exit code."""
