//! The JSON of modules and bindings.

use caisson_api::manifest::Plugin;
use caisson_herder::modules::{BindingInfo, BindingState, Bound, ModuleInfo, Origin};
use caisson_store::{Binding, Canary, CanaryStage};
use serde_json::{Value, json};

pub fn module(module: &ModuleInfo) -> Value {
    let about = &module.manifest.module;
    json!({
        "digest": module.digest,
        "name": module.name,
        "version": about.version,
        "description": about.description,
        "origin": match module.origin {
            Origin::PluginPath => "plugin.path",
            Origin::Upload => "upload",
        },
        "size": module.size,
        "uploaded_at": module.uploaded,
        "plugins": module.manifest.plugins.iter().map(plugin).collect::<Vec<Value>>(),
        "serves": module.serves,
        "used_by": module.used_by,
    })
}

/// As in the manifest, but for what only the worker needs to know.
fn plugin(plugin: &Plugin) -> Value {
    json!({
        "class": plugin.class,
        "aliases": plugin.aliases,
        "type": plugin.kind.as_str(),
        "version": plugin.version,
        "documentation": plugin.documentation,
        "config": plugin.keys,
        "encoding": plugin.encoding,
        "abilities": plugin.abilities,
        "capabilities": plugin.grants,
        "limits": plugin.limits,
    })
}

pub fn binding(binding: &BindingInfo) -> Value {
    let mut value = decision(&binding.current);
    value["class"] = binding.class.clone().into();
    value["state"] = match binding.state {
        BindingState::Settled => "settled",
        BindingState::Probation => "probation",
    }
    .into();
    value["previous"] = binding.previous.as_ref().map(decision).into();
    if let Some(canary) = &binding.canary {
        value["canary"] = self::canary(canary);
    }
    value
}

fn canary(canary: &Canary) -> Value {
    let (state, reason) = match &canary.stage {
        CanaryStage::Offered => ("offered", None),
        CanaryStage::Probation => ("probation", None),
        CanaryStage::Failed { reason } => ("failed", Some(reason)),
    };
    json!({
        "module": canary.module,
        "version": canary.version,
        "task": canary.task,
        "by": canary.by,
        "state": state,
        "reason": reason,
    })
}

/// A binding, and what its change did.
pub fn bound(bound: &Bound) -> Value {
    let mut value = binding(&bound.binding);
    value["swapped"] = bound.swapped.clone().into();
    value["waiting"] = bound.waiting.clone().into();
    value
}

/// One generation.
pub fn decision(binding: &Binding) -> Value {
    json!({
        "generation": binding.generation,
        "module": binding.module,
        "version": binding.version,
        "by": binding.by,
        "at": binding.at,
        "reason": binding.reason,
    })
}
