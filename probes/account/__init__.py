"""Questions to the live account, one file per service. Access denied and throttling are SOURCE_ERROR, never clean."""
