module example.com/my-prog

go 1.22
