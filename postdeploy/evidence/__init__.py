"""What a run leaves behind: plan, results, reports, and the run folder that is the record itself."""
