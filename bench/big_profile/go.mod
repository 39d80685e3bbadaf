module whyheap.dev/bench/big_profile

go 1.22

require github.com/google/pprof v0.0.0-20241029153458-d1b30febd7db
