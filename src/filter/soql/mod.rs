//! SOQL conditions and queries: parse, print, evaluate, compile from the typed tree.
