"""Which policies this project names: built-in rules of checkov by id; those of ours are the files of policies/rules."""
