"""The steps of the analysis, each an Ibis expression that makes one table of others."""
