module example.com/archive.v3

go 1.22
