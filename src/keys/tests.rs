//! Sources that are scripted, under a clock that is wound.
