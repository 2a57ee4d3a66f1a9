//! Compiled code, linked with what the worker offers, with the exports of each role looked up.

use std::collections::BTreeSet;

use wasmtime::component::{Component, Instance, InstancePre};
use wasmtime::{Engine, Store};

use super::{Module, probe};
use crate::bindings::{
    converter, handover, manifest, predicate, sink_connector, sink_task, source_connector, source_task, transform,
};
use crate::error::Error;
use crate::inspect::Interface;
use crate::instance::State;
use crate::sandbox::Shared;

/// Which functions of a role lie where in a component.
#[derive(Default)]
pub(crate) struct Roles {
    pub(crate) manifest: Option<manifest::GuestIndices>,
    pub(crate) source_connector: Option<source_connector::GuestIndices>,
    pub(crate) source_task: Option<source_task::GuestIndices>,
    pub(crate) sink_connector: Option<sink_connector::GuestIndices>,
    pub(crate) sink_task: Option<sink_task::GuestIndices>,
    pub(crate) transform: Option<transform::GuestIndices>,
    pub(crate) predicate: Option<predicate::GuestIndices>,
    pub(crate) converter: Option<converter::GuestIndices>,
    pub(crate) handover: Option<handover::GuestIndices>,
}

/// A module that can be instantiated.
pub(crate) struct Ready {
    pre: InstancePre<State>,
    pub(crate) roles: Roles,
    /// What `describe` returned; asked once, by one caller.
    described: tokio::sync::OnceCell<String>,
}

impl Ready {
    /// Checks imports and exports against the contract.
    pub(crate) fn link(
        shared: &Shared,
        name: &str,
        component: &Component,
        interfaces: &BTreeSet<Interface>,
    ) -> Result<Self, Error> {
        check_size(shared, name, component)?;
        let pre = shared
            .linker
            .instantiate_pre(component)
            .map_err(|error| wrong_type(name, &error))?;
        let mut roles = Roles::default();
        for interface in interfaces {
            roles
                .look_up(*interface, &pre)
                .map_err(|error| wrong_type(name, &error))?;
        }
        Ok(Ready {
            pre,
            roles,
            described: tokio::sync::OnceCell::new(),
        })
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.pre.engine()
    }

    pub(crate) fn pre(&self) -> &InstancePre<State> {
        &self.pre
    }

    /// What the component says of itself. The first time, the types of all its exports are checked, too.
    pub(crate) async fn described(&self, module: &Module) -> Result<String, Error> {
        let ask = async || probe::probe(&module.name, self, &module.shared().options).await;
        self.described.get_or_try_init(ask).await.cloned()
    }
}

impl Roles {
    fn look_up(&mut self, interface: Interface, pre: &InstancePre<State>) -> wasmtime::Result<()> {
        match interface {
            Interface::Manifest => self.manifest = Some(manifest::GuestIndices::new(pre)?),
            Interface::SourceConnector => self.source_connector = Some(source_connector::GuestIndices::new(pre)?),
            Interface::SourceTask => self.source_task = Some(source_task::GuestIndices::new(pre)?),
            Interface::SinkConnector => self.sink_connector = Some(sink_connector::GuestIndices::new(pre)?),
            Interface::SinkTask => self.sink_task = Some(sink_task::GuestIndices::new(pre)?),
            Interface::Transform => self.transform = Some(transform::GuestIndices::new(pre)?),
            Interface::Predicate => self.predicate = Some(predicate::GuestIndices::new(pre)?),
            Interface::Converter => self.converter = Some(converter::GuestIndices::new(pre)?),
            Interface::Handover => self.handover = Some(handover::GuestIndices::new(pre)?),
        }
        Ok(())
    }

    /// Compares the types of the functions of every role with the contract.
    pub(super) fn check(&self, store: &mut Store<State>, made: &Instance) -> wasmtime::Result<()> {
        fn has<T>(loaded: Option<wasmtime::Result<T>>) -> wasmtime::Result<()> {
            loaded.transpose().map(drop)
        }
        has(self.manifest.as_ref().map(|role| role.load(&mut *store, made)))?;
        has(self.source_connector.as_ref().map(|role| role.load(&mut *store, made)))?;
        has(self.source_task.as_ref().map(|role| role.load(&mut *store, made)))?;
        has(self.sink_connector.as_ref().map(|role| role.load(&mut *store, made)))?;
        has(self.sink_task.as_ref().map(|role| role.load(&mut *store, made)))?;
        has(self.transform.as_ref().map(|role| role.load(&mut *store, made)))?;
        has(self.predicate.as_ref().map(|role| role.load(&mut *store, made)))?;
        has(self.converter.as_ref().map(|role| role.load(&mut *store, made)))?;
        has(self.handover.as_ref().map(|role| role.load(&mut *store, made)))
    }
}

pub(super) fn wrong_type(name: &str, error: &wasmtime::Error) -> Error {
    Error::WrongType {
        name: name.into(),
        detail: format!("{error:#}"),
    }
}

/// Declared minimums that no instance could ever be given.
fn check_size(shared: &Shared, name: &str, component: &Component) -> Result<(), Error> {
    const PAGE: u64 = 64 << 10;
    let ceilings = &shared.options.ceilings;
    let Some(needs) = component.resources_required() else {
        return Ok(());
    };
    let memory = needs.max_initial_memory_size.unwrap_or(0).saturating_mul(PAGE);
    if memory > ceilings.memory {
        let what = format!("{memory} bytes of memory");
        return Err(Error::Oversized {
            name: name.into(),
            what,
            limit: "memory.bytes",
            allowed: ceilings.memory,
        });
    }
    let elements = needs.max_initial_table_size.unwrap_or(0);
    if elements > ceilings.table_elements {
        let what = format!("{elements} table elements");
        return Err(Error::Oversized {
            name: name.into(),
            what,
            limit: "table.elements",
            allowed: ceilings.table_elements,
        });
    }
    Ok(())
}
