//! Arguments, progress, exit codes: the outermost room.
