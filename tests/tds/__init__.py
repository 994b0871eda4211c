"""A double of SQL Server that speaks TDS 7.2 to 7.4 over SQLite, for real drivers to talk to."""
