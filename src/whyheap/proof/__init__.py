"""Proves an edit: recompiled through -overlay, vetted, tested, allocations before and after; A/B benchmarks."""
