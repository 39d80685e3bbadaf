module example.com/oomshop

go 1.22
