"""One file per job: each reads like the whole pipeline on one page."""
