//! A run that is given up.
