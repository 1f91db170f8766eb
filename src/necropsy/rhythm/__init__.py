"""Periods, phases and intervals of arrival times: pure statistics, vectorised over all client groups."""
