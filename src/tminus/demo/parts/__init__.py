"""The parts of a stage as descriptions for its supervisor, one file per part."""
