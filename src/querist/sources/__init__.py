"""Sources hold data and can be asked: files, SQLite and DuckDB databases, SQL servers."""
