//! Asking a component what it is: in an instance that may do nothing.

use caisson_model::Limits;

use super::Ready;
use super::ready::wrong_type;
use crate::Label;
use crate::error::{CallError, Error};
use crate::files::Files;
use crate::instance::{Birth, Instance, Pace, call};
use crate::network::Network;
use crate::options::SandboxOptions;

/// Checks the types of all exports, and returns what `manifest.describe` returns.
pub(crate) async fn probe(name: &str, ready: &Ready, options: &SandboxOptions) -> Result<String, Error> {
    let failed = |source: CallError| Error::Describe {
        name: name.into(),
        source,
    };
    let Some(indices) = &ready.roles.manifest else {
        return Err(Error::Manifest {
            name: name.into(),
            detail: "the component does not export caisson:connect/manifest".into(),
        });
    };
    let birth = Birth {
        label: Label {
            connector: name.into(),
            task: None,
        },
        limits: Limits {
            lifecycle_call: options.describe_time,
            ..options.defaults.clone()
        },
        files: Files::none(),
        network: Network::none(),
        environment: Vec::new(),
        offsets: None,
    };
    let (mut instance, made) = Instance::create(ready, birth).await.map_err(failed)?;
    let store = instance.enter("describe").map_err(failed)?;
    ready
        .roles
        .check(store, &made)
        .map_err(|error| wrong_type(name, &error))?;
    let guest = indices
        .load(&mut *store, &made)
        .map_err(|error| wrong_type(name, &error))?;
    instance.leave("describe", Ok(Ok(()))).map_err(failed)?;
    let described = async {
        call!(instance, "describe", Pace::Lifecycle, |store| async {
            guest.call_describe(&mut *store).await.map(Ok)
        })
    };
    described.await.map_err(failed)
}
