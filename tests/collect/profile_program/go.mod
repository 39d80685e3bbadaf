module profile.test/program

go 1.22
