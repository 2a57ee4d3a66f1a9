//! The plugins of a module as tables of functions, which [`plugins!`](crate::plugins) fills in.
//!
//! A module exports the interfaces of the roles that it has; which plugin serves an instance is known only when
//! `start` names a class.

use caisson_api::Error;
use caisson_api::config::Config;
use caisson_api::manifest::ModuleInfo;

use crate::converter::{Column, Converter};
use crate::instance;
use crate::plugin::Plugin;
use crate::settings::{ConfigValue, Settings};
use crate::sink::{SinkConnector, SinkOffsetChange};
use crate::source::{ExactlyOnce, SourceConnector, SourceOffsetChange};
use crate::transform::{Predicate, Transform};

/// What [`plugins!`](crate::plugins) knows about a module.
pub trait Registry: 'static {
    const SOURCES: &'static [SourceEntry];
    const SINKS: &'static [SinkEntry];
    const TRANSFORMS: &'static [TransformEntry];
    const PREDICATES: &'static [PredicateEntry];
    const CONVERTERS: &'static [ConverterEntry];
    const HEADER_CONVERTERS: &'static [ConverterEntry];

    fn module() -> ModuleInfo;
}

/// Starts a source task; the plugin says in which encodings.
type StartSourceTask = fn(&Plugin, &Settings) -> Result<Box<dyn instance::SourceTask>, Error>;

/// A source connector and its task.
#[derive(Clone, Copy, Debug)]
pub struct SourceEntry {
    pub plugin: fn() -> Plugin,
    pub(crate) validate: fn(&Config) -> Result<Vec<ConfigValue>, Error>,
    pub(crate) exactly_once: fn(&Settings) -> ExactlyOnce,
    pub(crate) alter_offsets: fn(&Settings, &[SourceOffsetChange]) -> Result<bool, Error>,
    pub(crate) connector: fn(Settings) -> Result<Box<dyn instance::SourceConnector>, Error>,
    pub(crate) task: StartSourceTask,
}

impl SourceEntry {
    pub const fn of<C: SourceConnector>() -> Self {
        SourceEntry {
            plugin: C::plugin,
            validate: C::validate,
            exactly_once: C::exactly_once,
            alter_offsets: C::alter_offsets,
            connector: instance::source_connector::<C>,
            task: instance::source_task::<C::Task>,
        }
    }
}

/// A sink connector and its task.
#[derive(Clone, Copy, Debug)]
pub struct SinkEntry {
    pub plugin: fn() -> Plugin,
    pub(crate) validate: fn(&Config) -> Result<Vec<ConfigValue>, Error>,
    pub(crate) alter_offsets: fn(&Settings, &[SinkOffsetChange]) -> Result<bool, Error>,
    pub(crate) connector: fn(Settings) -> Result<Box<dyn instance::SinkConnector>, Error>,
    pub(crate) task: fn(&Settings) -> Result<Box<dyn instance::SinkTask>, Error>,
}

impl SinkEntry {
    pub const fn of<C: SinkConnector>() -> Self {
        SinkEntry {
            plugin: C::plugin,
            validate: C::validate,
            alter_offsets: C::alter_offsets,
            connector: instance::sink_connector::<C>,
            task: instance::sink_task::<C::Task>,
        }
    }
}

/// A transform.
#[derive(Clone, Copy, Debug)]
pub struct TransformEntry {
    pub plugin: fn() -> Plugin,
    pub(crate) start: fn(&Settings) -> Result<Box<dyn instance::Transform>, Error>,
}

impl TransformEntry {
    pub const fn of<T: Transform>() -> Self {
        TransformEntry {
            plugin: T::plugin,
            start: instance::transform::<T>,
        }
    }
}

/// A predicate.
#[derive(Clone, Copy, Debug)]
pub struct PredicateEntry {
    pub plugin: fn() -> Plugin,
    pub(crate) start: fn(&Settings) -> Result<Box<dyn instance::Predicate>, Error>,
}

impl PredicateEntry {
    pub const fn of<P: Predicate>() -> Self {
        PredicateEntry {
            plugin: P::plugin,
            start: instance::predicate::<P>,
        }
    }
}

/// Starts a converter for a column.
type StartConverter = fn(&Settings, Column) -> Result<Box<dyn instance::Converter>, Error>;

/// A converter.
#[derive(Clone, Copy, Debug)]
pub struct ConverterEntry {
    pub plugin: fn() -> Plugin,
    pub(crate) start: StartConverter,
}

impl ConverterEntry {
    pub const fn of<C: Converter>() -> Self {
        ConverterEntry {
            plugin: C::plugin,
            start: instance::converter::<C>,
        }
    }
}

/// The entry that serves a class, and its description.
#[cfg(target_arch = "wasm32")]
pub(crate) fn find<E: Copy>(
    entries: &[E],
    plugin: impl Fn(&E) -> fn() -> Plugin,
    class: &str,
) -> Result<(E, Plugin), Error> {
    for entry in entries {
        let description = plugin(entry)();
        if description.answers_to(class) {
            return Ok((*entry, description));
        }
    }
    Err(Error::fatal(format!(
        "this module has no plugin {class} in the role in which it was asked for"
    )))
}

/// Registers the plugins of a module, several of several roles if need be, and exports the interfaces of the contract
/// that they need. Once in a crate of type `cdylib`:
///
/// ```
/// # use caisson_sdk::prelude::*;
/// # struct Keep;
/// # impl Transform for Keep {
/// #     fn plugin() -> Plugin { Plugin::new("example.Keep", "1") }
/// #     fn start(_: &Settings) -> Result<Self, Error> { Ok(Keep) }
/// #     fn apply(&mut self, record: Record) -> Result<Option<Record>, Error> { Ok(Some(record)) }
/// # }
/// caisson_sdk::plugins! {
///     transforms: [Keep],
/// }
/// # fn main() {}
/// ```
///
/// The sections are `module: { description: "...", homepage: "...", license: "..." }`, `sources`, `sinks`, `transforms`,
/// `predicates`, `converters` and `header_converters`, each optional, in this order. What converts headers too is named in
/// both of the last. Name and version of the module are those of the crate.
///
/// Behind them `stateful: [...]` names those tasks and transforms, by their plugins, that give state to the version which takes
/// their place while they run (`suspend` and `resume` of their traits); without it each version begins anew.
/// The macro defines `CaissonModule`, which tests give to [`testing::manifest`](crate::testing::manifest).
#[macro_export]
macro_rules! plugins {
    (
        $(module: { $($member:ident: $text:expr),* $(,)? } $(,)?)?
        $(sources: [$($source:ty),+ $(,)?] $(,)?)?
        $(sinks: [$($sink:ty),+ $(,)?] $(,)?)?
        $(transforms: [$($transform:ty),+ $(,)?] $(,)?)?
        $(predicates: [$($predicate:ty),+ $(,)?] $(,)?)?
        $(converters: [$($converter:ty),+ $(,)?] $(,)?)?
        $(header_converters: [$($header_converter:ty),+ $(,)?] $(,)?)?
        $(stateful: [$($stateful:ty),+ $(,)?] $(,)?)?
    ) => {
        /// The plugins of this module.
        #[derive(Debug)]
        pub struct CaissonModule;

        impl $crate::registry::Registry for CaissonModule {
            const SOURCES: &'static [$crate::registry::SourceEntry] =
                &[$($($crate::registry::SourceEntry::of::<$source>()),+)?];
            const SINKS: &'static [$crate::registry::SinkEntry] =
                &[$($($crate::registry::SinkEntry::of::<$sink>()),+)?];
            const TRANSFORMS: &'static [$crate::registry::TransformEntry] =
                &[$($($crate::registry::TransformEntry::of::<$transform>()),+)?];
            const PREDICATES: &'static [$crate::registry::PredicateEntry] =
                &[$($($crate::registry::PredicateEntry::of::<$predicate>()),+)?];
            const CONVERTERS: &'static [$crate::registry::ConverterEntry] =
                &[$($($crate::registry::ConverterEntry::of::<$converter>()),+)?];
            const HEADER_CONVERTERS: &'static [$crate::registry::ConverterEntry] =
                &[$($($crate::registry::ConverterEntry::of::<$header_converter>()),+)?];

            fn module() -> $crate::api::manifest::ModuleInfo {
                $crate::api::manifest::ModuleInfo {
                    name: ::core::env!("CARGO_PKG_NAME").to_string(),
                    version: ::core::env!("CARGO_PKG_VERSION").to_string(),
                    $($($member: $text.to_string(),)*)?
                    ..::core::default::Default::default()
                }
            }
        }

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exports = $crate::glue::Exports<CaissonModule>;
            $crate::glue::bindings::manifest::export_manifest!(Exports with_types_in $crate::glue::bindings::manifest);
            $($crate::__export_role!(source $($source)+);)?
            $($crate::__export_role!(sink $($sink)+);)?
            $($crate::__export_role!(transform $($transform)+);)?
            $($crate::__export_role!(predicate $($predicate)+);)?
            $($crate::__export_role!(handover $($stateful)+);)?
            $crate::__export_converters!([$($($converter)+)?] [$($($header_converter)+)?]);
        };
    };
}

/// Exports the interface of converters if there are any of either kind.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_converters {
    ([] []) => {};
    ($($any:tt)+) => {
        $crate::glue::bindings::converter::export_converter!(Exports with_types_in $crate::glue::bindings::converter);
    };
}

/// Exports the interfaces of one role; the plugins are named only so that the section decides whether this is written.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_role {
    (source $($any:tt)+) => {
        $crate::glue::bindings::source::export_source!(Exports with_types_in $crate::glue::bindings::source);
    };
    (sink $($any:tt)+) => {
        $crate::glue::bindings::sink::export_sink!(Exports with_types_in $crate::glue::bindings::sink);
    };
    (transform $($any:tt)+) => {
        $crate::glue::bindings::transform::export_transform!(Exports with_types_in $crate::glue::bindings::transform);
    };
    (handover $($any:tt)+) => {
        $crate::glue::bindings::handover::export_handover!(Exports with_types_in $crate::glue::bindings::handover);
    };
    (predicate $($any:tt)+) => {
        $crate::glue::bindings::predicate::export_predicate!(Exports with_types_in $crate::glue::bindings::predicate);
    };
}
