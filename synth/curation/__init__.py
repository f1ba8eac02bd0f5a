"""What is done with a whole set of records: tags made alike, rows chosen."""
