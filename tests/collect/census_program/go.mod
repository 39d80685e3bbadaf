module example.test/census

go 1.22
