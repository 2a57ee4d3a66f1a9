//! caisson-e2e
