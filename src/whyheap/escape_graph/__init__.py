"""The escape graph: flows of all sites joined; each site under the root that keeps it on the heap."""
