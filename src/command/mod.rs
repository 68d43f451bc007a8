//! One file a verb: a straight list of steps.
