"""The viewer: frames made of a run directory, one ES module that draws them, and the places that show it."""
