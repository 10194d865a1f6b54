"""Red-black conjugate gradients: `assemble` a round, `iterate` on the red voxels, `solve` around both."""
