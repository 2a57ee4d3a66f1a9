//! caisson-sdk
