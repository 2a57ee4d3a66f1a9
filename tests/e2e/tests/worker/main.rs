//! The worker as a process, on a real Kafka. One program with many modules: its tests share the cores.

#![allow(clippy::unwrap_used)]

mod bad_input;
mod bad_modules;
mod bad_settings;
mod broker_faults;
mod canaries;
mod chain;
mod client;
mod clients;
mod cluster;
mod commits;
mod converters;
mod coordinators;
mod crash;
mod dead_letters;
mod exactly_once;
mod faults;
mod files;
mod footprint;
mod https;
mod ledger;
mod logs;
mod metrics;
mod migration;
mod module_figures;
mod modules;
mod network;
mod preview;
mod quickstart;
mod readme;
mod rebalance;
mod registry;
mod rest;
mod restarts;
mod run;
mod secrets;
mod shutdown;
mod swaps;
mod tools;
mod topics_away;
mod topics_lost;
mod uploads;
