"""The service that the sandbox releases: a small shop, two versions of it, in two slots. See README.md."""
