"""Makes the policies of policies/rules known to checkov's command line, which imports every file of this directory."""

from policies.checkov_plugin import register

register()
