"""Reports: what a job found, as text, data or a page. Pure: nothing is read, printed or written here."""
