"""What is known of Go's runtime and compiler per version; every row cites the Go file it was read from."""
