"""whyheap: why is this value on the heap, and why does this Go process run out of memory?"""
