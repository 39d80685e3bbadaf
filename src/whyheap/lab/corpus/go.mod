module whyheap.lab/corpus

go 1.22
