"""whyheap: why is this value on the heap, and why does this Go process run out of memory?"""

__version__ = "0.1.0"
