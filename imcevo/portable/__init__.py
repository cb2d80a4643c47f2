"""Elementary functions and sums that give the same bits on every x86-64 and arm64 host.

NumPy and the C library choose among several implementations of logarithms, exponentials, powers, sums of products and
sorting by what the processor can do; these differ in the last place, and a search that compares numbers then ends
elsewhere. What stands here is made of the operations that IEEE 754 defines to the bit: +, -, *, /, square root,
comparison and scaling by powers of two, in a stated order, never contracted to fused multiply-adds.

- `imcevo.portable.elementary`: functions of one number, for compiled kernels.
- `imcevo.portable.arrays`: the same on NumPy arrays, and sums in a stated order.
- `imcevo.portable.exact`: the same, correctly rounded, for the few numbers that need no compiled code.
"""
