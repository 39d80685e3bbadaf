"""The lab: proves the catalogues on real compilers."""
