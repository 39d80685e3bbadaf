module whyheap.types

go 1.22
