//! caisson-worker
