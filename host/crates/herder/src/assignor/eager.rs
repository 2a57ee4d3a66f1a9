//! The first protocol: everybody has stopped everything, and all of it is dealt out anew.

use std::collections::BTreeMap;

use super::{Items, MemberId, Share, Shares};

/// Deals out connectors and then tasks, one to each member in turn.
pub fn share_eagerly(configured: &Items, members: impl IntoIterator<Item = MemberId>) -> Shares {
    let mut complete: BTreeMap<MemberId, Items> = members.into_iter().map(|id| (id, Items::new())).collect();
    let order: Vec<MemberId> = complete.keys().cloned().collect();
    for (item, member) in configured.iter().zip(order.iter().cycle()) {
        complete.entry(member.clone()).or_default().insert(item.clone());
    }
    let share = |items: &Items| Share {
        assigned: items.clone(),
        revoked: Items::new(),
    };
    Shares {
        members: complete.iter().map(|(id, items)| (id.clone(), share(items))).collect(),
        complete,
        ..Shares::default()
    }
}
